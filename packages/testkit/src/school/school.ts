import { setTimeout as delay } from "node:timers/promises";
import type { AppRouter } from "@carillon/api";
import type { ClassId, Role } from "@carillon/domain";
import type { SigningKey } from "@carillon/platform";
import { createTRPCClient, httpLink, TRPCClientError } from "@trpc/client";
import { schoolProfile } from "./profile.ts";
import { operatorToken, tokenFor } from "./tokens.ts";

/** A client of the gateway that speaks for the holder of the token. */
export const clientOf = (url: string, token?: string, headers: Record<string, string> = {}) =>
  createTRPCClient<AppRouter>({
    links: [
      httpLink({
        url: `${url}/trpc`,
        headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }) },
      }),
    ],
  });
export type Client = ReturnType<typeof clientOf>;

/** Starts a school of its own: a class with a teacher and a student, and a client for each of its people. */
export async function openSchool(url: string, key: SigningKey, slug: string) {
  const { tenantId } = await clientOf(url, await operatorToken(key, null)).tenants.enroll.mutate(
    schoolProfile(slug),
  );
  const operator = clientOf(url, await operatorToken(key, tenantId));
  const enroll = async (username: string, ...roles: Role[]) => {
    const { userId, position } = await operator.people.enroll.mutate({ username, name: username, roles });
    return { userId, position, client: clientOf(url, await tokenFor(key, userId, tenantId, roles)) };
  };
  const [admin, teacher, otherTeacher, auditor, student, outsider] = await Promise.all([
    enroll("admin", "admin"),
    enroll("teacher", "teacher"),
    enroll("other.teacher", "teacher"),
    enroll("auditor", "auditor"),
    enroll("student", "student"),
    enroll("outsider", "student"),
  ]);
  const { classId } = await teacher.client.classes.open.mutate({
    code: "9A",
    title: "Physics",
    startsOn: "2026-09-01",
    lengthDays: 200,
  });
  const { position } = await teacher.client.classes.join.mutate({
    classId,
    userId: student.userId,
    as: "student",
  });
  return { tenantId, operator, admin, teacher, otherTeacher, auditor, student, outsider, classId, position };
}
export type School = Awaited<ReturnType<typeof openSchool>>;

/** An assignment that is open until tomorrow. */
export const newAssignment = (classId: ClassId, code: string) => ({
  classId,
  code,
  title: "Bells",
  kind: "TMA",
  weight: 50,
  latePolicy: { kind: "accept" as const },
  dueAt: fromNow(86_400_000),
});

/** A moment so many milliseconds from now. */
export const fromNow = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString();

/**
 * Does what has to be done before a due date that a test waits for; gives what it gives, and that date. Where a slow machine
 * comes too late, it is done again with twice the time.
 *
 * @param work is given the date and a code for the assignment, another one each time
 */
export async function beforeDue<Result>(
  work: (dueAt: string, code: string) => Promise<Result>,
): Promise<{ dueAt: string; result: Result }> {
  for (let milliseconds = 500; ; milliseconds *= 2) {
    const dueAt = fromNow(milliseconds);
    try {
      return { dueAt, result: await work(dueAt, `due-after-${milliseconds}`) };
    } catch (error) {
      const code = dataOf(error)?.errorCode;
      if (code !== "due_in_past" && code !== "assignment_closed") throw error;
    }
  }
}

/** Waits until a moment is past. */
export async function past(moment: string): Promise<void> {
  while (Date.now() <= Date.parse(moment)) await delay(1);
}

/**
 * Asks until the answer is there and not stale: on a loaded machine a view may come later than a query waits for it. After a
 * minute it gives, or throws, what there is.
 */
export async function fresh<Answer extends { stale: boolean }>(ask: () => Promise<Answer>): Promise<Answer> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const isLast = Date.now() > deadline;
    try {
      const answer = await ask();
      if (isLast || !answer.stale) return answer;
    } catch (error) {
      if (isLast) throw error;
    }
    await delay(20);
  }
}

const dataOf = (error: unknown) =>
  error instanceof TRPCClientError ? (error as TRPCClientError<AppRouter>).data : undefined;

/** A small text file as it is handed in. */
export const textFile = (text: string, name = "essay.txt") => ({
  name,
  mediaType: "text/plain",
  base64: btoa(text),
});

/** Calls again as long as it is refused as `busy`, each time when it is told to: a test machine may be slow. */
export async function comingBack<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const data = dataOf(error);
      if (data?.errorCode !== "busy") throw error;
      await delay(data.retryAfterMs);
    }
  }
}

/** Calls what is to be refused and gives the error as a client sees it. */
export async function refusal(call: Promise<unknown>) {
  try {
    await call;
  } catch (error) {
    if (error instanceof TRPCClientError)
      return { message: error.message, ...(error as TRPCClientError<AppRouter>).data };
    throw error;
  }
  throw new Error("the call was not refused");
}

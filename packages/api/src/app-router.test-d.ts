import type { AssignmentId, ClassId, SubmissionId, UserId } from "@carillon/domain";
import { createTRPCClient, httpLink, TRPCClientError } from "@trpc/client";
import { expectTypeOf, test } from "vitest";
import type { AppRouter } from "./index.ts";

const client = createTRPCClient<AppRouter>({ links: [httpLink({ url: "http://127.0.0.1:7000/trpc" })] });

test("a client of the gateway has all three workers' procedures", () => {
  expectTypeOf<keyof AppRouter["_def"]["record"]>().toEqualTypeOf<
    "auth" | "tenants" | "people" | "classes" | "assignments" | "submissions" | "reports"
  >();
});

test("a client knows what goes in", () => {
  expectTypeOf(client.auth.login.mutate).parameter(0).toEqualTypeOf<{
    tenant: string;
    username: string;
    password: string;
    deviceToken?: string | undefined;
  }>();
  expectTypeOf(client.people.list.query).parameter(0).extract<undefined>().toBeUndefined();
  expectTypeOf(client.submissions.submit.mutate).parameter(0).toMatchTypeOf<{
    key: string;
    file: { name: string; mediaType: string; base64: string };
    sha256?: string | undefined;
  }>();
  // @ts-expect-error A password is needed.
  client.auth.login.mutate({ tenant: "riverside-high", username: "ada" });
  // @ts-expect-error There is no such late policy.
  client.assignments.publish.mutate({ latePolicy: { kind: "forgive" } });
  // @ts-expect-error A mutation is no query.
  client.classes.open.query;
});

test("a client knows what comes out", () => {
  type Answer<Call extends (...input: never[]) => unknown> = Awaited<ReturnType<Call>>;
  type Fresh = { asOf: { position: string | null; at: string | null }; stale: boolean };

  expectTypeOf<Answer<typeof client.classes.open.mutate>>().toEqualTypeOf<{
    classId: ClassId;
    position: string;
  }>();
  expectTypeOf<Answer<typeof client.submissions.submit.mutate>>().toEqualTypeOf<{
    submissionId: SubmissionId;
    receipt: string;
    position: string;
  }>();
  expectTypeOf<Answer<typeof client.submissions.mine.query>["submissions"][number]>().toMatchTypeOf<{
    assignmentId: AssignmentId;
    studentId: UserId;
    handedInAt: string;
    score: number | null;
  }>();
  expectTypeOf<Answer<typeof client.people.list.query>>().toMatchTypeOf<Fresh>();
  expectTypeOf<Answer<typeof client.reports.classProgress.query>>().toMatchTypeOf<
    Fresh & {
      class: string;
      lengthDays: number;
      registered: number;
      withdrawn: number;
      assessments: {
        assessment: string;
        type: string;
        dueDay: number | null;
        weight: number;
        submitted: number;
        banked: number;
        late: number | null;
        scored: number;
        meanScore: number | null;
        passed: number;
      }[];
    }
  >();
});

test("a client knows the codes of what can go wrong", () => {
  const error = new TRPCClientError<AppRouter>("");
  expectTypeOf(error.data?.errorCode)
    .extract<"submission_key_taken">()
    .toEqualTypeOf<"submission_key_taken">();
  expectTypeOf(error.data?.errorCode).extract<"no_such_code">().toBeNever();
  expectTypeOf(error.data?.issues)
    .exclude<undefined>()
    .items.toMatchTypeOf<{ path: string; message: string }>();
});

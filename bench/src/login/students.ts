/**
 * The students of one side: `node students.ts FILE`. Does the jobs below; the file has everybody's refresh token by
 * number, null for one who has none. A client that is asked to wait tries again by itself, as the web page does.
 */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type AppRouter, retryWhenBusy } from "@carillon/client";
import { createTRPCClient, httpLink, TRPCClientError } from "@trpc/client";
import { serveJobs } from "../harness/job.ts";
import { leanFetch } from "../harness/lean-fetch.ts";
import { password, slug, usernameOf } from "./school.ts";

export type StudentsJob = { /** Where they come in. */ url: string } & (
  | /** `inFlight` students at once come in, one after another, for `warmUpMs` and then for `ms`, which is measured. */
  {
      kind: "logins" | "refreshes";
      inFlight: number;
      warmUpMs: number;
      ms: number;
    } /** The first `students` come in, once each, beginning within `arrivalMs`. */
  | { kind: "mixed"; students: number; arrivalMs: number }
);

export interface StudentsResult {
  /** Came in while it was measured: in the time for `logins` and `refreshes`, in all for `mixed`. */
  readonly measured: number;
  /** For how long it was measured: up to the last student for `mixed`. */
  readonly ms: number;
  /** Came in, before and after that too. */
  readonly total: number;
  readonly failed: number;
  /** How often a client was asked to wait. */
  readonly waits: number;
  /** How often a client tried again because there was no answer. */
  readonly repeats: number;
  /** Why the failed ones failed, and how many each. */
  readonly failures: Readonly<Record<string, number>>;
}

/** How long a student stays at the door. */
const patienceMs = 180_000;

const [file = ""] = process.argv.slice(2);
const tokens: (string | null)[] = JSON.parse(readFileSync(file, "utf8"));

let waits = 0;
let repeats = 0;
const clientAt = (url: string) =>
  createTRPCClient<AppRouter>({
    links: [
      retryWhenBusy({ patienceMs, onWait: ({ place }) => (place === null ? repeats++ : waits++) }),
      httpLink({ url: `${url}/trpc`, fetch: leanFetch() }),
    ],
  });
type Client = ReturnType<typeof clientAt>;

/** Students share connections a hundred ways: the library looks through all of a host's to find one that is free. */
const sharedBy = 100;
type Clients = readonly Client[];
const clientOf = (clients: Clients, student: number) => clients[student % sharedBy] as Client;

async function logIn(clients: Clients, student: number): Promise<void> {
  await clientOf(clients, student).auth.login.mutate({
    tenant: slug,
    username: usernameOf(student),
    password,
  });
}

async function refresh(clients: Clients, student: number, refreshToken: string): Promise<void> {
  const { refreshToken: next } = await clientOf(clients, student).auth.refresh.mutate({ refreshToken });
  tokens[student] = next;
}

/** Counts the logins that were accepted and those that were not. */
function counted() {
  const failures: Record<string, number> = {};
  let total = 0;
  return {
    failures,
    total: () => total,
    async count(comeIn: Promise<void>) {
      try {
        await comeIn;
        total++;
      } catch (error) {
        const reason =
          error instanceof TRPCClientError ? (error.data?.errorCode ?? error.message) : `${error}`;
        failures[reason] = (failures[reason] ?? 0) + 1;
      }
    },
  };
}

const failedOf = (failures: Record<string, number>) => Object.values(failures).reduce((a, b) => a + b, 0);

/** The student whose turn it is: from one job to the next, so that everybody has theirs. */
let next = 0;
const returning = tokens.flatMap((token, student) => (token === null ? [] : [student]));

async function measureRate(clients: Clients, job: Extract<StudentsJob, { kind: "logins" | "refreshes" }>) {
  const { failures, total, count } = counted();
  const begin = performance.now();
  const end = begin + job.warmUpMs + job.ms;
  const one = () => {
    if (job.kind === "logins") return logIn(clients, next++ % tokens.length);
    const student = returning[next++ % returning.length] ?? 0;
    return refresh(clients, student, tokens[student] ?? "");
  };
  const queue = async () => {
    while (performance.now() < end) await count(one());
  };
  const queues = Array.from({ length: job.inFlight }, queue);
  await delay(job.warmUpMs);
  const before = { total: total(), at: performance.now() };
  await delay(Math.max(end - performance.now(), 0));
  const measured = total() - before.total;
  const ms = performance.now() - before.at;
  await Promise.all(queues);
  return { measured, ms, total: total(), failed: failedOf(failures), failures };
}

async function comeInOnce(
  clients: Clients,
  { students, arrivalMs }: Extract<StudentsJob, { kind: "mixed" }>,
) {
  const { failures, total, count } = counted();
  const begin = performance.now();
  let last = begin;
  const one = async (student: number) => {
    await delay((arrivalMs * student) / students);
    const refreshToken = tokens[student];
    await count(refreshToken ? refresh(clients, student, refreshToken) : logIn(clients, student));
    last = performance.now();
  };
  await Promise.all(Array.from({ length: students }, (_, student) => one(student)));
  return { measured: total(), ms: last - begin, total: total(), failed: failedOf(failures), failures };
}

serveJobs<StudentsJob, StudentsResult>(async (job) => {
  waits = 0;
  repeats = 0;
  const clients = Array.from({ length: sharedBy }, () => clientAt(job.url));
  const result = await (job.kind === "mixed" ? comeInOnce(clients, job) : measureRate(clients, job));
  return { ...result, waits, repeats };
});

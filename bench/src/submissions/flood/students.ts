/**
 * The students of one side, `node students.ts SETTING`: hands in one submission after another. Each is sent twice, as by
 * a client that got no answer in time; the second answer must be the first. Where nothing answers twice (the ceiling)
 * each is appended once: repeating adds no event.
 */
import { appendFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { serveJobs } from "../../harness/job.ts";
import { accessTokens } from "../access-tokens.ts";
import { schoolsOf } from "../schools.ts";
import { digestIn, failureOf, type Submit, submitTo } from "../submit.ts";
import { appendTo } from "./append.ts";
import { baselineToken, digestInConfirmation } from "./baseline-school.ts";

/** The argument, as JSON. */
export interface StudentsSetting {
  readonly side: "carillon" | "baseline" | "ceiling";
  readonly students: number;
  /** Takes a line `[n, digest]` for each submission that was acknowledged: which, and what the receipt says. */
  readonly acknowledged: string;
  /** Carillon's `AUTH_SIGNING_KEYS`. */
  readonly signingKeys: string;
}

export type StudentsJob = {
  /** Where they come in. */
  readonly url: string;
  readonly ms: number;
} & (
  | /** `inFlight` students at any time, for `warmUpMs` and then for `ms`, which is measured. */
  { readonly kind: "capacity"; readonly inFlight: number; readonly warmUpMs: number }
  /** So many submissions are due in each second, whether earlier ones have been answered or not. */
  | { readonly kind: "steady"; readonly perSecond: number }
);

export interface StudentsResult {
  /** Submissions that were confirmed while it was measured. */
  readonly measured: number;
  /** For how long it was measured. */
  readonly ms: number;
  /** Submissions that were confirmed, before and after that too. */
  readonly total: number;
  /** How long each confirmation took from when its request was due, in milliseconds; repeats count as well. */
  readonly latencies: readonly number[];
  /** How often a client was asked to wait. */
  readonly waits: number;
  /** How often a client tried again because there was no answer. */
  readonly repeats: number;
  /** Why submissions failed, and how many each. */
  readonly failures: Readonly<Record<string, number>>;
}

/** How long a client goes on trying, in milliseconds. */
const patienceMs = 60_000;
/** When a client that was not answered would send again, in milliseconds. */
const repeatAfterMs = 1_000;

const setting: StudentsSetting = JSON.parse(process.argv[2] ?? "{}");
const schools = schoolsOf(setting.students);
const tokens = { carillon: accessTokens(setting.signingKeys), baseline: baselineToken };

let waits = 0;
let repeats = 0;
let failures: Record<string, number> = {};
let acknowledged: string[] = [];
/** The student whose turn it is: from one job to the next, so that nothing is handed in twice by mistake. */
let next = 0;

const submitAt = (url: string): Submit =>
  setting.side === "ceiling"
    ? appendTo(url, schools)
    : submitTo({
        url,
        tokenOf: tokens[setting.side],
        patienceMs,
        onWait: ({ place }) => (place === null ? repeats++ : waits++),
      });

const digestOfReceipt = setting.side === "carillon" ? digestIn : digestInConfirmation;

const fail = (reason: string) => {
  failures[reason] = (failures[reason] ?? 0) + 1;
};

/** The next submission. `send` sends it, the first time or again, when it is due, and notes how long the answer took. */
function nextSubmission(submit: Submit, latencies: number[]) {
  const n = next++;
  let receipt: string | undefined;
  return {
    isConfirmed: () => receipt !== undefined,
    async send(due: number): Promise<void> {
      const wait = due - performance.now();
      if (wait > 0) await delay(wait);
      try {
        const answer = await submit(schools.handIn(n));
        latencies.push(performance.now() - due);
        if (receipt === undefined) acknowledged.push(JSON.stringify([n, digestOfReceipt(answer)]));
        else if (receipt !== answer) fail("another receipt for the same");
        receipt ??= answer;
      } catch (error) {
        fail(failureOf(error));
      }
    },
  };
}

const isRepeated = setting.side !== "ceiling";

async function measureCapacity(
  submit: Submit,
  { inFlight, warmUpMs, ms }: Extract<StudentsJob, { kind: "capacity" }>,
) {
  let total = 0;
  const latencies: number[] = [];
  const begin = performance.now();
  const end = begin + warmUpMs + ms;
  const queue = async () => {
    while (performance.now() < end) {
      const submission = nextSubmission(submit, latencies);
      await submission.send(performance.now());
      if (isRepeated) await submission.send(performance.now());
      if (submission.isConfirmed()) total++;
    }
  };
  const queues = Array.from({ length: inFlight }, queue);
  await delay(warmUpMs);
  const before = { total, at: performance.now() };
  await delay(Math.max(end - performance.now(), 0));
  const measured = { measured: total - before.total, ms: performance.now() - before.at };
  await Promise.all(queues);
  return { ...measured, total, latencies };
}

async function measureSteadily(submit: Submit, { perSecond, ms }: Extract<StudentsJob, { kind: "steady" }>) {
  const latencies: number[] = [];
  const begin = performance.now();
  const one = async (index: number) => {
    const submission = nextSubmission(submit, latencies);
    const due = begin + (index * 1000) / perSecond;
    await Promise.all([submission.send(due), ...(isRepeated ? [submission.send(due + repeatAfterMs)] : [])]);
    return submission.isConfirmed();
  };
  const count = Math.floor((ms * perSecond) / 1000);
  const confirmed = await Promise.all(Array.from({ length: count }, (_, index) => one(index)));
  const total = confirmed.filter(Boolean).length;
  return { measured: total, ms, total, latencies };
}

serveJobs<StudentsJob, StudentsResult>(async (job) => {
  waits = 0;
  repeats = 0;
  failures = {};
  acknowledged = [];
  // Everybody has logged in before.
  if (setting.side === "carillon") {
    for (const { id, schoolClass } of schools.students) {
      tokens.carillon({ studentId: id, tenantId: schoolClass.tenantId });
    }
  }
  const submit = submitAt(job.url);
  const result = await (job.kind === "capacity"
    ? measureCapacity(submit, job)
    : measureSteadily(submit, job));
  appendFileSync(setting.acknowledged, acknowledged.map((line) => `${line}\n`).join(""));
  return { ...result, waits, repeats, failures };
});

import { readdirSync, readFileSync } from "node:fs";
import type { Worker } from "node:worker_threads";
import { CarillonError, TenantId } from "@carillon/domain";
import { createMetrics } from "@carillon/platform";
import { afterEach, expect, test, vi } from "vitest";
import { longestWaitMs } from "../../load/retry-after.ts";
import { hashPassword } from "./formats.ts";
import { type HashPool, openHashPool } from "./hash-pool.ts";

/** The threads that were started, and how the next ones start: they are real, and are ended for real. */
const threads = vi.hoisted(() => ({ started: [] as Worker[], damaged: false }));
vi.mock("node:worker_threads", async (importOriginal) => {
  const real = await importOriginal<typeof import("node:worker_threads")>();
  return {
    ...real,
    Worker: class extends real.Worker {
      constructor(module: URL) {
        super(threads.damaged ? new URL("./missing.ts", module) : module);
        threads.started.push(this);
      }
    },
  };
});

const tenant = (name: string) => TenantId.parse(`00000000-0000-7000-8000-${name.padStart(12, "0")}`);
const [crowd, newcomer] = [tenant("c"), tenant("a")];
const password = "correct horse";
const stored = hashPassword(password);
// bcrypt of cost 10, which takes several times as long as ours.
const slow = "$2b$10$abcdefghijklmnopqrstuuQX0UT5K1VUA1oQjRiWLJJd7UD69yRui";

const check = (pool: HashPool, tenantId: TenantId, hash: string | null, tried = password) =>
  pool.verify(tenantId, async () => hash, tried);

const opened: HashPool[] = [];

function openForTest(width?: number) {
  const metrics = createMetrics("test");
  const printed: unknown[] = [];
  const print = (...entry: unknown[]) => printed.push(entry);
  threads.started.length = 0;
  const pool = openHashPool({
    metrics,
    log: { warn: print, error: print },
    ...(width !== undefined && { width }),
  });
  opened.push(pool);
  return { pool, metrics, printed: () => JSON.stringify(printed) };
}

afterEach(async () => {
  vi.useRealTimers();
  threads.damaged = false;
  await Promise.all(opened.splice(0).map((pool) => pool.close()));
});

/** Sends so many checks at once. Gives each one's answer in the order of arrival, and how all were answered. */
function storm(pool: HashPool, tenantId: TenantId, count: number, hash = stored) {
  const answers: (boolean | CarillonError)[] = [];
  const checks = Array.from({ length: count }, () =>
    check(pool, tenantId, hash).then(
      (fits) => answers.push(fits),
      (error) => answers.push(error),
    ),
  );
  return { answers, done: Promise.all(checks) };
}

const busyOnes = (answers: readonly (boolean | CarillonError)[]) =>
  answers.filter((answer) => answer instanceof CarillonError);

/** When the threads have been measured. */
const warm = (pool: HashPool) => Promise.all(Array.from({ length: 8 }, () => check(pool, crowd, stored)));

test("a password is hashed and checked, nobody's and a damaged one fit nothing", async () => {
  const { pool, metrics, printed } = openForTest();
  const hash = await pool.hash(newcomer, password);
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await check(pool, newcomer, hash)).toBe(true);
  expect(await check(pool, newcomer, hash, "correct house")).toBe(false);
  expect(await check(pool, newcomer, null)).toBe(false);
  expect(printed()).toBe("[]");
  expect(await check(pool, newcomer, "$argon2id$damaged")).toBe(false);
  expect(printed()).toContain("cannot be read");
  expect(printed()).toContain(newcomer);
  expect(await metrics.metrics()).toMatch(/carillon_hash_seconds_count\{[^}]*\} 5\n/);
});

test.runIf(process.platform === "linux")("the threads, and only they, have a lower priority", async () => {
  const niceOf = (task: string) => {
    const stat = readFileSync(`/proc/self/task/${task}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
  };
  const nices = () => readdirSync("/proc/self/task").map(niceOf);
  expect(nices().every((nice) => nice === 0)).toBe(true);
  const { pool, printed } = openForTest(3);
  await warm(pool);
  await expect.poll(() => nices().filter((nice) => nice === 10)).toHaveLength(3);
  expect(niceOf(String(process.pid))).toBe(0);
  expect(printed()).toBe("[]");
});

test("past two seconds of work the rest are told when to try again, one after the other, and can", async () => {
  // One thread, so that a quick machine too has more than it can do.
  const { pool, metrics } = openForTest(1);
  await warm(pool);
  // All come in one moment, however long the machine takes to send them.
  vi.useFakeTimers({ toFake: ["Date"] });
  const { answers, done } = storm(pool, crowd, 1_000);
  vi.useRealTimers();
  await expect.poll(() => answers.length).toBeGreaterThan(0);
  expect(await metrics.metrics()).toMatch(/carillon_hash_queue_length\{[^}]*\} [1-9]/);
  await done;
  const busy = busyOnes(answers);
  expect(busy[0]).toMatchObject({
    code: "busy",
    message: expect.stringMatching(/place in the queue is \d+/),
  });
  const waits = busy.map(({ wait }) => wait?.retryAfterMs ?? 0);
  const [{ retryAfterMs = 0, place = 0 } = {}] = busy.map(({ wait }) => wait ?? {});
  const slotMs = retryAfterMs / (place ?? 0);
  // As many wait as take two seconds, or 64 where the machine is slow; a few more are prepared already.
  const room = Math.max(64, 2_000 / slotMs);
  const accepted = answers.length - busy.length;
  expect(accepted).toBeGreaterThan(room * 0.95);
  expect(accepted).toBeLessThan(room * 1.05 + 8);
  // The first is to try again when half of them are done, each of the others in a place of their own, as far as places are given.
  expect(Math.abs(retryAfterMs - (room / 2) * slotMs)).toBeLessThan(5 * slotMs);
  const places = Math.min(waits.length, Math.floor((0.95 * (longestWaitMs - retryAfterMs)) / slotMs));
  for (let index = 1; index < places; index++) {
    const apart = (waits[index] ?? 0) - (waits[index - 1] ?? 0);
    // Times are told in whole milliseconds, and places in whole numbers.
    expect(Math.abs(apart - slotMs)).toBeLessThan(1.5 + slotMs / 50);
  }
  expect(await metrics.metrics()).toContain(`reason="full",worker="test"} ${busy.length}`);
  expect(await check(pool, crowd, stored)).toBe(true);
});

test("nothing is read for a login that is shed, and what is read is read in time", async () => {
  const { pool } = openForTest(1);
  await warm(pool);
  let read = 0;
  const results = await Promise.allSettled(
    Array.from({ length: 1_000 }, () => {
      const readHash = async () => {
        read++;
        return stored;
      };
      return pool.verify(crowd, readHash, password);
    }),
  );
  const answered = results.filter(({ status }) => status === "fulfilled").length;
  expect(answered).toBeLessThan(1_000);
  expect(read).toBe(answered);
});

test("a login whose hash cannot be read is told so, and the next one is served", async () => {
  const { pool } = openForTest(1);
  const away = () => Promise.reject(new CarillonError("unavailable", "The log is away."));
  const failing = Array.from({ length: 20 }, () => pool.verify(crowd, away, password));
  const results = await Promise.allSettled(failing);
  expect(results.map(({ status }) => status)).toEqual(Array(20).fill("rejected"));
  expect(await check(pool, crowd, stored)).toBe(true);
});

test("a school in a storm does not starve another: those who come later get in, and every second turn", async () => {
  const { pool, metrics } = openForTest(1);
  await warm(pool);
  const first = storm(pool, crowd, 1_000);
  const second = storm(pool, newcomer, 5);
  await second.done;
  expect(second.answers).toEqual(Array(5).fill(true));
  const served = () => first.answers.filter((answer) => answer === true).length;
  const servedMeanwhile = served();
  expect(servedMeanwhile).toBeGreaterThan(1);
  // Turns are of equal time, and a loaded machine makes some hashes long: few of all that wait, and nine where it is idle.
  expect(servedMeanwhile).toBeLessThan(30);
  await first.done;
  expect(await metrics.metrics()).toContain('reason="pushed_out",worker="test"} 5');
});

test("a school whose hashes take long has its share of the time, not of the turns", async () => {
  const { pool } = openForTest(1);
  await warm(pool);
  const first = storm(pool, crowd, 24, slow);
  const second = storm(pool, newcomer, 24);
  await second.done;
  expect(second.answers).toEqual(Array(24).fill(true));
  // By turns it would be all of them.
  expect(first.answers.length).toBeLessThan(16);
  await first.done;
});

test("a thread that dies is replaced, and what it was doing is done again", async () => {
  const { pool, printed } = openForTest(2);
  await warm(pool);
  const checks = Array.from({ length: 8 }, () => check(pool, crowd, stored));
  // From here on until it dies the thread has something to do.
  await checks[0];
  await threads.started[0]?.terminate();
  expect(await Promise.all(checks)).toEqual(Array(8).fill(true));
  expect(threads.started).toHaveLength(3);
  expect(printed()).toContain("ended");
});

test("where no thread can start, everybody is told so, until one can", async () => {
  threads.damaged = true;
  const { pool, printed } = openForTest(1);
  await expect(check(pool, crowd, stored)).rejects.toMatchObject({ code: "unavailable" });
  await expect(pool.hash(crowd, password)).rejects.toMatchObject({ code: "unavailable" });
  expect(printed()).toContain("failed");
  threads.damaged = false;
  await expect.poll(() => check(pool, crowd, stored).catch(() => false)).toBe(true);
});

test("closing finishes what was accepted and takes nothing more", async () => {
  const { pool } = openForTest();
  const { answers, done } = storm(pool, crowd, 8);
  const closed = pool.close();
  await expect(check(pool, crowd, stored)).rejects.toMatchObject({ code: "unavailable" });
  await closed;
  await done;
  expect(answers).toEqual(Array(8).fill(true));
});

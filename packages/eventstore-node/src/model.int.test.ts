import {
  type AppendExpectedRevision,
  type EventStoreDBClient,
  type ExpectedRevision,
  jsonEvent,
} from "@eventstore/db-client";
import fc from "fast-check";
import { expect, test } from "vitest";
import { all, startTestNode, temporaryFolder } from "./testing.ts";

/** The truncation settings of a stream. */
interface Truncation {
  readonly maxCount?: number;
  readonly truncateBefore?: number;
}

/**
 * The rules of a stream in the plainest form: a list of ids, what was truncated, and whether it is gone. Ids come from a
 * small pool, so that retries and partial retries happen often.
 */
class StreamModel {
  /** What all streams share: which stream each id was written to last, and every id in the order of writing. */
  readonly #log: LogModel;
  ids: string[] = [];
  truncation: Truncation = {};
  hasMetadata = false;
  softDeleted = false;
  tombstoned = false;

  constructor(log: LogModel) {
    this.#log = log;
  }

  get last(): number {
    return this.ids.length - 1;
  }

  /** "written", "already", "wrong" or "deleted", as the documentation of the real server says. */
  append(expected: AppendExpectedRevision, ids: string[]): string {
    if (this.tombstoned) return "deleted";
    if (expected === "stream_exists" && this.softDeleted) return "deleted";
    if (expected === "stream_exists" && this.last < 0 && !this.hasMetadata) return "wrong";
    if (expected === "any" || expected === "stream_exists") {
      const firstUnknown = ids.findIndex((id) => this.#log.writtenTo.get(id) !== this);
      if (firstUnknown === -1) return "already";
      return firstUnknown === 0 ? this.#write(ids) : "wrong";
    }
    const revision = expected === "no_stream" ? -1 : Number(expected);
    if (revision === this.last) return this.#write(ids);
    if (revision > this.last) return "wrong";
    if (ids.every((id, n) => this.ids[revision + 1 + n] === id)) return "already";
    const startsAnew = expected === "no_stream" && this.softDeleted && this.ids[0] !== ids[0];
    return startsAnew ? this.#write(ids) : "wrong";
  }

  delete(expected: ExpectedRevision): string {
    if (this.tombstoned) return "deleted";
    const refusal = this.#deleteRefusal(expected);
    if (refusal !== undefined) return refusal;
    this.truncation = {};
    this.hasMetadata = true;
    this.softDeleted = true;
    return "written";
  }

  tombstone(expected: ExpectedRevision): string {
    if (this.tombstoned) return "deleted";
    const refusal = this.#deleteRefusal(expected);
    if (refusal !== undefined) return refusal;
    this.tombstoned = true;
    return "written";
  }

  /** Metadata of a deleted stream brings it back, without what it held. */
  setMetadata(truncation: Truncation): string {
    if (this.tombstoned) return "deleted";
    this.truncation = truncation;
    if (this.softDeleted) this.#recreate();
    this.hasMetadata = true;
    return "written";
  }

  read({ backwards, from, maxCount }: Read): string | string[] {
    if (this.tombstoned) return "deleted";
    if (this.last < 0 || this.softDeleted) return "missing";
    const { maxCount: kept = Infinity, truncateBefore = 0 } = this.truncation;
    const first = Math.max(truncateBefore, this.ids.length - kept);
    const visible = this.ids
      .map((id, revision) => ({ id, revision }))
      .filter(({ revision }) => revision >= first);
    const wanted = backwards
      ? visible.reverse().filter(({ revision }) => from === undefined || revision <= from)
      : visible.filter(({ revision }) => from === undefined || revision >= from);
    return wanted.slice(0, maxCount).map(({ id }) => id);
  }

  #deleteRefusal(expected: ExpectedRevision): string | undefined {
    if (expected === "any") return undefined;
    const isCurrent = this.last === (expected === "no_stream" ? -1 : Number(expected));
    const startsAnew = expected === "no_stream" && this.softDeleted;
    return isCurrent || startsAnew ? undefined : "wrong";
  }

  #write(ids: string[]): string {
    if (this.softDeleted) this.#recreate();
    this.ids.push(...ids);
    this.#log.ids.push(...ids);
    for (const id of ids) this.#log.writtenTo.set(id, this);
    return "written";
  }

  #recreate(): void {
    this.softDeleted = false;
    this.truncation = { ...this.truncation, truncateBefore: this.ids.length };
  }
}

class LogModel {
  readonly ids: string[] = [];
  readonly writtenTo = new Map<string, StreamModel>();
  readonly #streams = new Map<string, StreamModel>();

  stream(name: string): StreamModel {
    const model = this.#streams.get(name) ?? new StreamModel(this);
    this.#streams.set(name, model);
    return model;
  }
}

interface Read {
  readonly backwards: boolean;
  readonly from: number | undefined;
  readonly maxCount: number;
}

const poolId = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const stream = fc.constantFrom("s-1", "s-2", "s-3");
const expectedRevision = fc.oneof(
  fc.constantFrom<AppendExpectedRevision>("any", "no_stream", "stream_exists"),
  fc.bigInt({ min: 0n, max: 6n }),
);
const expectedOfDelete = fc.oneof(
  fc.constantFrom<ExpectedRevision>("any", "any", "no_stream"),
  fc.bigInt({ min: 0n, max: 6n }),
);
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      stream,
      expectedRevision,
      ids: fc.uniqueArray(fc.nat(7).map(poolId), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("metadata" as const),
      stream,
      truncation: fc.record(
        { maxCount: fc.integer({ min: 1, max: 4 }), truncateBefore: fc.nat(6) },
        { requiredKeys: [] },
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("read" as const),
      stream,
      read: fc.record({
        backwards: fc.boolean(),
        from: fc.option(fc.nat(8), { nil: undefined }),
        maxCount: fc.integer({ min: 1, max: 5 }),
      }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("delete" as const),
      stream,
      expectedRevision: expectedOfDelete,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("tombstone" as const),
      stream,
      expectedRevision: expectedOfDelete,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const), stream }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const OUTCOMES: Record<string, string> = {
  "wrong-expected-version": "wrong",
  "stream-deleted": "deleted",
  "stream-not-found": "missing",
};

async function outcome<T>(work: Promise<T>): Promise<T | string> {
  return work.catch((error) => OUTCOMES[error.type] ?? Promise.reject(error));
}

/** What the node makes of a write: as the model says it, except that a retry looks like a write. */
async function written(work: Promise<unknown>): Promise<string> {
  const result = await outcome(work);
  return typeof result === "string" ? result : "written";
}

async function readIds(client: EventStoreDBClient, name: string, read: Read): Promise<string[]> {
  const { backwards, from, maxCount } = read;
  const events = client.readStream(name, {
    direction: backwards ? "backwards" : "forwards",
    fromRevision: from === undefined ? (backwards ? "end" : "start") : BigInt(from),
    maxCount,
  });
  return (await all(events)).map(({ event }) => event?.id ?? "");
}

const WHOLE: Read = { backwards: false, from: undefined, maxCount: 1000 };

async function check(client: EventStoreDBClient, log: LogModel, step: Exclude<Step, { kind: "restart" }>) {
  const model = log.stream(step.stream);
  switch (step.kind) {
    case "append": {
      const before = model.last;
      const expected = model.append(step.expectedRevision, step.ids);
      const events = step.ids.map((id) => jsonEvent({ id, type: "T", data: {} }));
      const { expectedRevision } = step;
      const actual = await outcome(client.appendToStream(step.stream, events, { expectedRevision }));
      if (typeof actual === "string") expect(actual).toBe(expected);
      else if (expected === "written") {
        expect(actual.nextExpectedRevision).toBe(BigInt(before + step.ids.length));
      } else expect(expected).toBe("already");
      break;
    }
    case "metadata": {
      const expected = model.setMetadata(step.truncation);
      expect(await written(client.setStreamMetadata(step.stream, step.truncation))).toBe(expected);
      break;
    }
    case "delete": {
      const { expectedRevision } = step;
      const expected = model.delete(expectedRevision);
      expect(await written(client.deleteStream(step.stream, { expectedRevision }))).toBe(expected);
      break;
    }
    case "tombstone": {
      const { expectedRevision } = step;
      const expected = model.tombstone(expectedRevision);
      expect(await written(client.tombstoneStream(step.stream, { expectedRevision }))).toBe(expected);
      break;
    }
    case "read":
      expect(await outcome(readIds(client, step.stream, step.read))).toEqual(model.read(step.read));
      break;
  }
  expect(await outcome(readIds(client, step.stream, WHOLE))).toEqual(model.read(WHOLE));
}

async function allIds(client: EventStoreDBClient): Promise<string[]> {
  const events = (await all(client.readAll())).map(({ event }) => event);
  return events.flatMap((event) => (event?.type === "T" ? [event.id] : []));
}

test("random appends, deletes, truncations, reads and restarts come to what the rules say", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const dir = temporaryFolder();
      const log = new LogModel();
      let node = await startTestNode(dir);
      try {
        for (const step of steps) {
          if (step.kind === "restart") {
            await node.stop();
            node = await startTestNode(dir);
          } else await check(node.client, log, step);
        }
        // Nothing leaves the log, whatever became of its stream.
        expect(await allIds(node.client)).toEqual(log.ids);
      } finally {
        await node.stop();
      }
    }),
    // Shrinking a failure ends before the test's time does, which would hide the seed.
    { numRuns: 60, interruptAfterTimeLimit: 40_000 },
  );
});

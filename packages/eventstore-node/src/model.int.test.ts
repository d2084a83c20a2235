import { type AppendExpectedRevision, type EventStoreDBClient, jsonEvent } from "@eventstore/db-client";
import fc from "fast-check";
import { expect, test } from "vitest";
import { all, startTestNode, temporaryFolder } from "./testing.ts";

/**
 * The rules of a stream in the plainest form: a list of ids, what was truncated, and whether it is gone. Ids come from a
 * small pool, so that retries and partial retries happen often.
 */
class StreamModel {
  /** Which stream each id was written to last, over all streams. */
  readonly #lastWrittenTo: Map<string, StreamModel>;
  ids: string[] = [];
  /** The first visible revision; Infinity while soft-deleted. */
  visibleFrom = 0;
  tombstoned = false;

  constructor(lastWrittenTo: Map<string, StreamModel>) {
    this.#lastWrittenTo = lastWrittenTo;
  }

  get last(): number {
    return this.ids.length - 1;
  }

  /** "written", "already", "wrong" or "deleted", as the documentation of the real server says. */
  append(expected: AppendExpectedRevision, ids: string[]): string {
    if (this.tombstoned) return "deleted";
    const isSoftDeleted = this.visibleFrom === Infinity;
    if (expected === "stream_exists" && isSoftDeleted) return "deleted";
    if (expected === "stream_exists" && this.last < 0) return "wrong";
    if (expected === "any" || expected === "stream_exists") {
      const firstUnknown = ids.findIndex((id) => this.#lastWrittenTo.get(id) !== this);
      if (firstUnknown === -1) return "already";
      return firstUnknown === 0 ? this.#write(ids) : "wrong";
    }
    const revision = expected === "no_stream" ? -1 : Number(expected);
    if (revision === this.last) return this.#write(ids);
    if (revision > this.last) return "wrong";
    if (ids.every((id, n) => this.ids[revision + 1 + n] === id)) return "already";
    const startsAnew = expected === "no_stream" && isSoftDeleted && this.ids[0] !== ids[0];
    return startsAnew ? this.#write(ids) : "wrong";
  }

  delete(): string {
    if (this.tombstoned) return "deleted";
    this.visibleFrom = Infinity;
    return "written";
  }

  tombstone(): string {
    if (this.tombstoned) return "deleted";
    this.tombstoned = true;
    return "written";
  }

  read(): string | string[] {
    if (this.tombstoned) return "deleted";
    if (this.ids.length === 0 || this.visibleFrom === Infinity) return "missing";
    return this.ids.slice(this.visibleFrom);
  }

  #write(ids: string[]): string {
    if (this.visibleFrom === Infinity) this.visibleFrom = this.ids.length;
    this.ids.push(...ids);
    for (const id of ids) this.#lastWrittenTo.set(id, this);
    return "written";
  }
}

const poolId = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const stream = fc.constantFrom("s-1", "s-2", "s-3");
const expectedRevision = fc.oneof(
  fc.constantFrom<AppendExpectedRevision>("any", "no_stream", "stream_exists"),
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
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), stream }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("tombstone" as const), stream }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const), stream }) },
);

const OUTCOMES: Record<string, string> = {
  "wrong-expected-version": "wrong",
  "stream-deleted": "deleted",
  "stream-not-found": "missing",
};

async function outcome<T>(work: Promise<T>): Promise<T | string> {
  return work.catch((error) => OUTCOMES[error.type] ?? Promise.reject(error));
}

const ids = async (client: EventStoreDBClient, name: string) =>
  (await all(client.readStream(name))).map(({ event }) => event?.id ?? "");

test("random appends, deletes, tombstones and restarts come to what the rules say", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const dir = temporaryFolder();
      const streams = new Map<string, StreamModel>();
      const lastWrittenTo = new Map<string, StreamModel>();
      const modelOf = (name: string) => {
        const model = streams.get(name) ?? new StreamModel(lastWrittenTo);
        streams.set(name, model);
        return model;
      };
      let node = await startTestNode(dir);
      for (const step of steps) {
        const model = modelOf(step.stream);
        if (step.kind === "restart") {
          await node.stop();
          node = await startTestNode(dir);
        } else if (step.kind === "append") {
          const before = model.last;
          const expected = model.append(step.expectedRevision, step.ids);
          const events = step.ids.map((id) => jsonEvent({ id, type: "T", data: {} }));
          const options = { expectedRevision: step.expectedRevision };
          const actual = await outcome(node.client.appendToStream(step.stream, events, options));
          if (typeof actual === "string") expect(actual).toBe(expected);
          else if (expected === "written")
            expect(actual.nextExpectedRevision).toBe(BigInt(before + step.ids.length));
          else expect(expected).toBe("already");
        } else if (step.kind === "delete") {
          const actual = await outcome(node.client.deleteStream(step.stream));
          expect(typeof actual === "string" ? actual : "written").toBe(model.delete());
        } else {
          const actual = await outcome(node.client.tombstoneStream(step.stream));
          expect(typeof actual === "string" ? actual : "written").toBe(model.tombstone());
        }
        expect(await outcome(ids(node.client, step.stream))).toEqual(model.read());
      }
      await node.stop();
    }),
    { numRuns: 40 },
  );
});

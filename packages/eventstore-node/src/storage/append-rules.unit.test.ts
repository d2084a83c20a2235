import { expect, test } from "vitest";
import { decideAppend, type StreamState } from "./append-rules.ts";

const missing: StreamState = stream([]);

/** A stream with these event ids; the position of each is ten times its revision. */
function stream(ids: readonly string[], state: Partial<StreamState> = {}): StreamState {
  return {
    last: ids.length - 1,
    tombstoned: false,
    softDeleted: false,
    hasMetadata: false,
    eventAt(revision) {
      const id = ids[revision];
      return id === undefined ? undefined : { id, position: revision * 10 };
    },
    recent(id) {
      const revision = ids.indexOf(id);
      return revision < 0 ? undefined : { revision, position: revision * 10 };
    },
    ...state,
  };
}

const append = { kind: "append", recreates: false };
const wrong = (current: number) => ({ kind: "wrong-version", current });
const already = (revision: number) => ({ kind: "already", slot: { revision, position: revision * 10 } });

test("any appends to a stream that is missing or there", () => {
  expect(decideAppend("any", ["x"], missing)).toEqual(append);
  expect(decideAppend("any", ["x"], stream(["a"]))).toEqual(append);
});

test("no_stream needs a stream without events", () => {
  expect(decideAppend("no_stream", ["x"], missing)).toEqual(append);
  expect(decideAppend("no_stream", ["x"], stream(["a"]))).toEqual(wrong(0));
});

test("stream_exists needs events or metadata", () => {
  expect(decideAppend("stream_exists", ["x"], missing)).toEqual(wrong(-1));
  expect(decideAppend("stream_exists", ["x"], stream(["a"]))).toEqual(append);
  expect(decideAppend("stream_exists", ["x"], stream([], { hasMetadata: true }))).toEqual(append);
});

test("a revision must be the current one", () => {
  expect(decideAppend(1, ["x"], stream(["a", "b"]))).toEqual(append);
  expect(decideAppend(2, ["x"], stream(["a", "b"]))).toEqual(wrong(1));
  expect(decideAppend(0, ["x"], missing)).toEqual(wrong(-1));
});

test("a revision below the current one: the same ids in the same slots were written already", () => {
  expect(decideAppend("no_stream", ["a"], stream(["a", "b", "c"]))).toEqual(already(0));
  expect(decideAppend(0, ["b", "c"], stream(["a", "b", "c"]))).toEqual(already(2));
});

test("a revision below the current one: ids that match only in part are a wrong version", () => {
  expect(decideAppend(0, ["b", "x"], stream(["a", "b", "c"]))).toEqual(wrong(2));
  expect(decideAppend(0, ["x", "c"], stream(["a", "b", "c"]))).toEqual(wrong(2));
  expect(decideAppend(0, ["b", "c", "d"], stream(["a", "b", "c"]))).toEqual(wrong(2));
  expect(decideAppend(0, ["c"], stream(["a", "b", "c"]))).toEqual(wrong(2));
});

test("the current revision appends again, whatever the ids", () => {
  expect(decideAppend(1, ["a", "b"], stream(["a", "b"]))).toEqual(append);
});

test("any and stream_exists find ids that were written recently", () => {
  expect(decideAppend("any", ["a", "b"], stream(["a", "b", "c"]))).toEqual(already(1));
  expect(decideAppend("stream_exists", ["c"], stream(["a", "b", "c"]))).toEqual(already(2));
});

test("any: a new first id appends, a new later id is a wrong version", () => {
  expect(decideAppend("any", ["x", "a"], stream(["a", "b"]))).toEqual(append);
  expect(decideAppend("any", ["a", "x"], stream(["a", "b"]))).toEqual(wrong(1));
});

test("a tombstone comes before every other rule", () => {
  const tombstoned = stream(["a"], { tombstoned: true });
  for (const expected of ["any", "no_stream", "stream_exists", 0, 7] as const) {
    expect(decideAppend(expected, ["a"], tombstoned)).toEqual({ kind: "deleted" });
  }
});

test("a soft-deleted stream is recreated by any, no_stream and its last revision, and is deleted for stream_exists", () => {
  const deleted = stream(["a", "b"], { softDeleted: true, hasMetadata: true });
  const recreate = { kind: "append", recreates: true };
  expect(decideAppend("any", ["x"], deleted)).toEqual(recreate);
  expect(decideAppend("no_stream", ["x"], deleted)).toEqual(recreate);
  expect(decideAppend(1, ["x"], deleted)).toEqual(recreate);
  expect(decideAppend(0, ["x"], deleted)).toEqual(wrong(1));
  expect(decideAppend("stream_exists", ["x"], deleted)).toEqual({ kind: "deleted" });
});

test("no events are appended as they are, except below the current revision", () => {
  expect(decideAppend("any", [], missing)).toEqual(append);
  expect(decideAppend(1, [], stream(["a", "b"]))).toEqual(append);
  expect(decideAppend(0, [], stream(["a", "b"]))).toEqual(wrong(1));
});

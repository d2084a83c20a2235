import type { PartitionProgress } from "@carillon/projections";
import { expect, test } from "vitest";
import { projectionLines } from "./projection-lines.ts";

const now = new Date("2026-09-01T08:59:30Z");

const partition = (index: number, progress: Partial<PartitionProgress> = {}): PartitionProgress => ({
  projection: "directory",
  version: 2,
  partition: index,
  position: "40",
  created: new Date("2026-09-01T08:59:00Z"),
  appliedAt: now,
  stoppedAt: null,
  behind: 0,
  ...progress,
});

const stoppedAt = {
  position: "41",
  stream: "user-1_2",
  revision: 0,
  eventId: "e",
  eventType: "UserEnrolled",
  error: "the database refused the row: SQLSTATE 23505",
  at: "2026-09-01T08:59:10Z",
};

test("each projection has one line, and the partition with the farthest to go speaks for it", () => {
  const partitions = [
    partition(0, { behind: 3 }),
    partition(1, { behind: 120 }),
    partition(2),
    partition(0, { projection: "submissions" }),
    partition(1, { projection: "submissions", position: null, created: null }),
    partition(0, { projection: "credentials", version: 1, position: null, created: null, behind: 1 }),
  ];
  expect(projectionLines(partitions, now)).toEqual([
    "directory v2: 120 events behind in partition 1, whose last is 30 s old",
    "submissions v2: up to date",
    "credentials v1: 1 event behind in partition 0, which has none yet",
  ]);
});

test("every partition that has stopped is named with its event, before how the others are", () => {
  const stopped = { stoppedAt, behind: 900 };
  expect(projectionLines([partition(0), partition(3, stopped), partition(5, stopped)], now)).toEqual([
    "directory v2: " +
      "STOPPED in partition 3 at position 41: UserEnrolled, user-1_2 revision 0: the database refused the row: SQLSTATE 23505; " +
      "STOPPED in partition 5 at position 41: UserEnrolled, user-1_2 revision 0: the database refused the row: SQLSTATE 23505; " +
      "up to date",
  ]);
});

test("what the bus does not say is said to be unknown", () => {
  const silent = { behind: null };
  expect(projectionLines([partition(0, silent), partition(1, silent)], now)).toEqual([
    "directory v2: how far behind is not known, for the event bus does not say",
  ]);
  expect(projectionLines([partition(0, silent), partition(1)], now)).toEqual([
    "directory v2: up to date; how far behind is not known of partition 0",
  ]);
});

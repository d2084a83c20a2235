import { expect, test } from "vitest";
import { classIdOf, tenantIdOf } from "../ids.ts";
import { given } from "../testing.ts";
import type { Instant } from "../time.ts";
import { type AssignmentEvent, AssignmentProfile, assignmentDecider } from "./assignment.ts";

const classId = classIdOf(tenantIdOf("riverside-high"), "AAA-2013J");
const at = "2026-09-01T09:00:00.000Z" as Instant;
const dueAt = "2026-09-20T23:59:59.000Z" as Instant;
const later = "2026-09-27T23:59:59.000Z" as Instant;
const profile = AssignmentProfile.parse({
  code: "1752",
  title: "Essay",
  kind: "TMA",
  weight: 10,
  latePolicy: { kind: "accept" },
});
const publish = { type: "PublishAssignment", classId, classOpened: true, profile, dueAt, at } as const;
const published: AssignmentEvent = { type: "AssignmentPublished", data: { ...profile, classId, dueAt } };
const reschedule = { type: "RescheduleAssignment", dueAt: later, at } as const;
const rescheduled: AssignmentEvent = { type: "AssignmentRescheduled", data: { classId, dueAt: later } };

test("an assignment is published, with or without a due time", () => {
  expect(given(assignmentDecider, []).when(publish)).toEqual([published]);
  expect(given(assignmentDecider, []).when({ ...publish, dueAt: null })).toEqual([
    { type: "AssignmentPublished", data: { ...profile, classId, dueAt: null } },
  ]);
});

test("publishing the same again changes nothing, even after the due time and a rescheduling", () => {
  const again = { ...publish, at: later };
  expect(given(assignmentDecider, [published, rescheduled]).when(again)).toEqual([]);
});

test("a code belongs to the assignment that came first", () => {
  const other = { ...publish, profile: { ...profile, weight: 90 } };
  expect(given(assignmentDecider, [published]).when(other)).toMatchObject({ code: "assignment_code_taken" });
});

test("a due time in the past is refused, for publishing and for rescheduling", () => {
  const refused = { code: "due_in_past" };
  expect(given(assignmentDecider, []).when({ ...publish, at: dueAt })).toMatchObject(refused);
  expect(given(assignmentDecider, [published]).when({ ...reschedule, at: later })).toMatchObject(refused);
});

test("an assignment needs its class", () => {
  expect(given(assignmentDecider, []).when({ ...publish, classOpened: false })).toMatchObject({
    code: "class_unknown",
  });
});

test("an assignment is rescheduled; to the time it has already changes nothing", () => {
  expect(given(assignmentDecider, [published]).when(reschedule)).toEqual([rescheduled]);
  expect(given(assignmentDecider, [published, rescheduled]).when(reschedule)).toEqual([]);
  expect(given(assignmentDecider, []).when(reschedule)).toMatchObject({ code: "assignment_unknown" });
});

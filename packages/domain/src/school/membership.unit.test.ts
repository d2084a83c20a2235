import { expect, test } from "vitest";
import { classIdOf, tenantIdOf, userIdOf } from "../ids.ts";
import { given } from "../testing.ts";
import { type MembershipEvent, membershipDecider } from "./membership.ts";

const tenantId = tenantIdOf("riverside-high");
const classId = classIdOf(tenantId, "AAA-2013J");
const userId = userIdOf(tenantId, "ada");
const join = {
  type: "JoinClass",
  classId,
  userId,
  as: "student",
  classOpened: true,
  userEnrolled: true,
} as const;
const leave = { type: "LeaveClass", classId, userId } as const;
const joined: MembershipEvent = { type: "StudentJoinedClass", data: { classId, studentId: userId } };
const left: MembershipEvent = { type: "StudentLeftClass", data: { classId, studentId: userId } };

test("a student joins, leaves and joins again", () => {
  expect(given(membershipDecider, []).when(join)).toEqual([joined]);
  expect(given(membershipDecider, [joined]).when(leave)).toEqual([left]);
  expect(given(membershipDecider, [joined, left]).when(join)).toEqual([joined]);
});

test("joining again as the same changes nothing", () => {
  expect(given(membershipDecider, [joined]).when(join)).toEqual([]);
});

test("a student who becomes a teacher is no student any more", () => {
  expect(given(membershipDecider, [joined]).when({ ...join, as: "teacher" })).toEqual([
    left,
    { type: "TeacherJoinedClass", data: { classId, teacherId: userId } },
  ]);
});

test("somebody who is not in a class cannot leave it", () => {
  expect(given(membershipDecider, []).when(leave)).toMatchObject({ code: "not_a_member" });
  expect(given(membershipDecider, [joined, left]).when(leave)).toMatchObject({ code: "not_a_member" });
});

test("nobody joins a class that is not there, and no stranger joins a class", () => {
  expect(given(membershipDecider, []).when({ ...join, classOpened: false })).toMatchObject({
    code: "class_unknown",
  });
  expect(given(membershipDecider, []).when({ ...join, userEnrolled: false })).toMatchObject({
    code: "user_unknown",
  });
});

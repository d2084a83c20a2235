import { describe, expect, test } from "vitest";
import type { AssignmentState } from "./assignment.ts";
import { assignmentIdOf, classIdOf, tenantIdOf, userIdOf } from "./ids.ts";
import { Content, isLate, type SubmissionEvent, submissionDecider } from "./submission.ts";
import { given } from "./testing.ts";
import type { Instant } from "./time.ts";

const tenantId = tenantIdOf("riverside-high");
const classId = classIdOf(tenantId, "AAA-2013J");
const assignmentId = assignmentIdOf(classId, "1752");
const studentId = userIdOf(tenantId, "ada");
const inTime = "2026-09-20T23:59:59.000Z" as Instant;
const tooLate = "2026-09-20T23:59:59.001Z" as Instant;
const dueAt = inTime;

const assignment: NonNullable<AssignmentState> = {
  classId,
  profile: { code: "1752", title: "Essay", kind: "TMA", weight: 10, latePolicy: { kind: "accept" } },
  publishedDueAt: dueAt,
  dueAt,
};
const strict = { ...assignment, profile: { ...assignment.profile, latePolicy: { kind: "refuse" as const } } };
const facts = { assignmentId, studentId, assignment, membership: "student" as const };
const content = Content.parse({
  sha256: "ab".repeat(32),
  bytes: 4,
  name: "essay.txt",
  mediaType: "text/plain",
});
const other = { ...content, sha256: "cd".repeat(32) };
const work = { assignmentId, classId, studentId };

const commit = { type: "CommitSubmission", facts, key: "tab-1", content, at: inTime } as const;
const committed: SubmissionEvent = {
  type: "SubmissionCommitted",
  data: { ...work, key: "tab-1", content, committedAt: inTime, dueAt },
};
const receive = { type: "ReceiveContent", sha256: content.sha256, at: inTime } as const;
const received: SubmissionEvent = {
  type: "SubmissionReceived",
  data: { ...work, sha256: content.sha256, receivedAt: inTime },
};
const record = { type: "RecordSubmission", facts, key: "oulad", handedInAt: inTime, banked: false } as const;
const recorded: SubmissionEvent = {
  type: "SubmissionRecorded",
  data: { ...work, key: "oulad", handedInAt: inTime, banked: false },
};
const grade = { type: "GradeSubmission", score: 72, feedback: null } as const;
const graded: SubmissionEvent = { type: "SubmissionGraded", data: { ...work, score: 72, feedback: null } };

describe("handing in", () => {
  test("commits to the digest, with the due time that was known", () => {
    expect(given(submissionDecider, []).when(commit)).toEqual([committed]);
  });

  test("again with the same content changes nothing, whatever has happened since", () => {
    const since = { ...commit, at: tooLate, facts: { ...facts, assignment: strict, membership: undefined } };
    expect(given(submissionDecider, [committed, received, graded]).when(since)).toEqual([]);
  });

  test("other content under the same key is refused", () => {
    expect(given(submissionDecider, [committed]).when({ ...commit, content: other })).toMatchObject({
      code: "submission_key_taken",
    });
  });

  test("a millisecond late is late: refused or accepted as the assignment says", () => {
    expect(isLate(inTime, dueAt)).toBe(false);
    expect(isLate(tooLate, dueAt)).toBe(true);
    expect(isLate(tooLate, null)).toBe(false);
    const late = { ...commit, at: tooLate };
    expect(given(submissionDecider, []).when(late)).toHaveLength(1);
    const refused = { ...late, facts: { ...facts, assignment: strict } };
    expect(given(submissionDecider, []).when(refused)).toMatchObject({ code: "assignment_closed" });
    expect(given(submissionDecider, []).when({ ...refused, at: inTime })).toHaveLength(1);
  });

  test("is for students of the class and for assignments that are there", () => {
    for (const membership of [undefined, "teacher"] as const) {
      const refused = { ...commit, facts: { ...facts, membership } };
      expect(given(submissionDecider, []).when(refused)).toMatchObject({ code: "not_a_member" });
    }
    const nowhere = { ...commit, facts: { ...facts, assignment: undefined } };
    expect(given(submissionDecider, []).when(nowhere)).toMatchObject({ code: "assignment_unknown" });
  });
});

describe("content", () => {
  test("is received once", () => {
    expect(given(submissionDecider, [committed]).when(receive)).toEqual([received]);
    expect(given(submissionDecider, [committed, received]).when(receive)).toEqual([]);
  });

  test("must be what was committed", () => {
    expect(given(submissionDecider, [committed]).when({ ...receive, sha256: other.sha256 })).toMatchObject({
      code: "content_digest_mismatch",
    });
    expect(given(submissionDecider, []).when(receive)).toMatchObject({ code: "submission_unknown" });
  });
});

describe("recording work that another system took in", () => {
  test("keeps when it was handed in, and happens once", () => {
    expect(given(submissionDecider, []).when(record)).toEqual([recorded]);
    expect(given(submissionDecider, [recorded]).when(record)).toEqual([]);
  });

  test("does not ask the late policy: the other system has decided", () => {
    const late = { ...record, handedInAt: tooLate, facts: { ...facts, assignment: strict } };
    expect(given(submissionDecider, []).when(late)).toHaveLength(1);
  });

  test("does not pass for a commitment, nor a commitment for a record", () => {
    expect(given(submissionDecider, [committed]).when(record)).toMatchObject({
      code: "submission_key_taken",
    });
    expect(given(submissionDecider, [recorded]).when(commit)).toMatchObject({ code: "submission_key_taken" });
  });
});

describe("grading", () => {
  test("gives a score, and another later", () => {
    expect(given(submissionDecider, [committed, received]).when(grade)).toEqual([graded]);
    expect(given(submissionDecider, [recorded, graded]).when({ ...grade, score: 80 })).toMatchObject([
      { data: { score: 80 } },
    ]);
  });

  test("with the same score again changes nothing", () => {
    expect(given(submissionDecider, [recorded, graded]).when(grade)).toEqual([]);
  });

  test("needs a submission", () => {
    expect(given(submissionDecider, []).when(grade)).toMatchObject({ code: "submission_unknown" });
  });
});

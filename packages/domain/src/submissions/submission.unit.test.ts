import { describe, expect, test } from "vitest";
import { assignmentIdOf, classIdOf, tenantIdOf, userIdOf } from "../ids.ts";
import { AssignmentProfile, type AssignmentState } from "../school/assignment.ts";
import { given } from "../testing.ts";
import type { Instant } from "../time.ts";
import { isLate } from "./lateness.ts";
import { submissionDecider } from "./submission.ts";
import { Content, type SubmissionEvent } from "./submission-events.ts";

const tenantId = tenantIdOf("riverside-high");
const classId = classIdOf(tenantId, "AAA-2013J");
const assignmentId = assignmentIdOf(classId, "1752");
const studentId = userIdOf(tenantId, "ada");
const inTime = "2026-09-20T23:59:59.000Z" as Instant;
const tooLate = "2026-09-20T23:59:59.001Z" as Instant;
const dueAt = inTime;

const assignment: NonNullable<AssignmentState> = {
  classId,
  profile: AssignmentProfile.parse({
    code: "1752",
    title: "Essay",
    kind: "TMA",
    weight: 10,
    latePolicy: { kind: "accept" },
  }),
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

const commit = {
  type: "CommitSubmission",
  facts,
  key: "tab-1",
  content,
  at: inTime,
  uploadBy: null,
} as const;
const inTimeData = {
  ...work,
  key: "tab-1",
  content,
  committedAt: inTime,
  dueAt,
  graceSeconds: 0,
  late: false,
  penaltyPercent: 0,
  uploadBy: null,
  autograded: false,
};
const committed: SubmissionEvent = { type: "SubmissionCommitted", data: inTimeData };
const receive = { type: "ReceiveContent", sha256: content.sha256, at: inTime } as const;
const received: SubmissionEvent = {
  type: "SubmissionReceived",
  data: { ...work, sha256: content.sha256, receivedAt: inTime, autograded: false },
};
const record = { type: "RecordSubmission", facts, key: "oulad", handedInAt: inTime, banked: false } as const;
const recorded: SubmissionEvent = {
  type: "SubmissionRecorded",
  data: { ...work, key: "oulad", handedInAt: inTime, banked: false },
};
const grade = { type: "GradeSubmission", score: 72, feedback: null } as const;
const graded: SubmissionEvent = {
  type: "SubmissionGraded",
  data: { ...work, score: 72, rawScore: 72, feedback: null, grader: "person" },
};

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

  test("within the grace time is in time, to the millisecond", () => {
    const profile = { ...strict.profile, graceSeconds: 60 };
    const kind = { ...commit, facts: { ...facts, assignment: { ...strict, profile } } };
    const inGrace = "2026-09-21T00:00:59.000Z" as Instant;
    const afterGrace = "2026-09-21T00:00:59.001Z" as Instant;
    expect(given(submissionDecider, []).when({ ...kind, at: inGrace })).toMatchObject([
      { data: { late: false, graceSeconds: 60 } },
    ]);
    expect(given(submissionDecider, []).when({ ...kind, at: afterGrace })).toMatchObject({
      code: "assignment_closed",
    });
  });

  test.each([
    ["2026-09-20T23:59:59.000Z", false, 0],
    ["2026-09-20T23:59:59.001Z", true, 15],
    ["2026-09-21T23:59:59.000Z", true, 15],
    ["2026-09-21T23:59:59.001Z", true, 30],
    ["2026-12-31T00:00:00.000Z", true, 100],
  ])("at %s costs a penalty for each day begun", (at, late, penaltyPercent) => {
    const profile = {
      ...assignment.profile,
      latePolicy: { kind: "penalty", percentPerDay: 15 } as const,
    };
    const command = {
      ...commit,
      at: at as Instant,
      facts: { ...facts, assignment: { ...assignment, profile } },
    };
    expect(given(submissionDecider, []).when(command)).toMatchObject([{ data: { late, penaltyPercent } }]);
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

describe("content that is to follow", () => {
  const uploadBy = "2026-09-21T23:59:59.000Z" as Instant;
  const awaited: SubmissionEvent = { type: "SubmissionCommitted", data: { ...inTimeData, uploadBy } };
  const gone: SubmissionEvent = {
    type: "SubmissionLapsed",
    data: { ...work, sha256: content.sha256, lapsedAt: uploadBy },
  };
  const lapse = { type: "LapseSubmission", at: uploadBy } as const;

  test("lapses once when its time is over, and no sooner", () => {
    expect(given(submissionDecider, [awaited]).when({ ...lapse, at: inTime })).toEqual([]);
    expect(given(submissionDecider, [awaited]).when(lapse)).toEqual([gone]);
    expect(given(submissionDecider, [awaited, gone]).when(lapse)).toEqual([]);
  });

  test("that has come never lapses; that has lapsed never comes", () => {
    expect(given(submissionDecider, [awaited, received]).when(lapse)).toEqual([]);
    expect(given(submissionDecider, [committed]).when(lapse)).toEqual([]);
    expect(given(submissionDecider, [awaited, gone]).when(receive)).toMatchObject({
      code: "submission_lapsed",
    });
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

  test("of late work takes the penalty off, and keeps what was given", () => {
    const late: SubmissionEvent = {
      type: "SubmissionCommitted",
      data: { ...inTimeData, late: true, penaltyPercent: 25 },
    };
    const reduced = { score: 54, rawScore: 72 };
    const events = given(submissionDecider, [late, received]).when(grade);
    expect(events).toMatchObject([{ data: reduced }]);
    expect(given(submissionDecider, [late, received, ...(events as SubmissionEvent[])]).when(grade)).toEqual(
      [],
    );
  });

  test("by the answer key never takes the place of a grade", () => {
    const marked = { type: "MarkSubmission", score: 50, feedback: "1 of 2 right" } as const;
    const data = {
      ...work,
      score: 50,
      rawScore: 50,
      feedback: "1 of 2 right",
      grader: "answer_key" as const,
    };
    expect(given(submissionDecider, [committed, received]).when(marked)).toEqual([
      { type: "SubmissionGraded", data },
    ]);
    expect(given(submissionDecider, [committed, received, graded]).when(marked)).toEqual([]);
  });

  test("with the same score again changes nothing", () => {
    expect(given(submissionDecider, [recorded, graded]).when(grade)).toEqual([]);
  });

  test("needs a submission", () => {
    expect(given(submissionDecider, []).when(grade)).toMatchObject({ code: "submission_unknown" });
  });
});

import type { Instant } from "@carillon/domain";
import type { RecordedEvent } from "@carillon/platform";

/** A class's figures, assessments in the order of their codes. */
export interface ClassFigures {
  readonly class_id: string;
  readonly registered: number;
  readonly withdrawn: number;
  readonly assessments: readonly AssessmentFigures[];
}

export interface AssessmentFigures {
  readonly assignment_id: string;
  readonly due_day: number | null;
  readonly submitted: number;
  readonly banked: number;
  readonly late: number | null;
  readonly scored: number;
  readonly mean_score: number | null;
  readonly passed: number;
}

type Of<Type extends RecordedEvent["type"]> = Extract<RecordedEvent, { type: Type }>;

const only = <Type extends RecordedEvent["type"]>(events: readonly RecordedEvent[], ...types: Type[]) =>
  events.filter((event): event is Of<Type> => (types as string[]).includes(event.type));

const idOf = ({ stream }: RecordedEvent) => stream.split("_")[1] as string;

/** The figures of one school's classes, counted from all of its events as plainly as can be. Scores have one decimal. */
export function recount(events: readonly RecordedEvent[]): ClassFigures[] {
  const timeZone = only(events, "TenantEnrolled")[0]?.data.timeZone ?? "UTC";
  return only(events, "ClassOpened").map((opened) => {
    const classId = idOf(opened);
    const memberships = only(events, "StudentJoinedClass", "StudentLeftClass").filter(
      ({ data }) => data.classId === classId,
    );
    const registered = new Set(only(memberships, "StudentJoinedClass").map(({ data }) => data.studentId));
    const withdrawn = [...registered].filter(
      (student) =>
        memberships.findLast(({ data }) => data.studentId === student)?.type === "StudentLeftClass",
    );
    return {
      class_id: classId,
      registered: registered.size,
      withdrawn: withdrawn.length,
      assessments: only(events, "AssignmentPublished")
        .filter(({ data }) => data.classId === classId)
        .map((published) => assessment(events, published, opened.data.startsOn, timeZone)),
    };
  });
}

function assessment(
  events: readonly RecordedEvent[],
  published: Of<"AssignmentPublished">,
  startsOn: string,
  timeZone: string,
): AssessmentFigures {
  const id = idOf(published);
  const moved = only(events, "AssignmentRescheduled").findLast((event) => idOf(event) === id);
  const dueAt = (moved ?? published).data.dueAt;
  const closesAt = dueAt && Date.parse(dueAt) + published.data.graceSeconds * 1000;
  const counting = attemptsThatCount(events, id, published.data.counts);
  const scores = counting.map((attempt) => scoreOf(events, attempt)).filter((score) => score !== undefined);
  return {
    assignment_id: id,
    due_day: dueAt && daysBetween(startsOn, localDay(dueAt, timeZone)),
    submitted: counting.length,
    banked: counting.filter(({ type, data }) => type === "SubmissionRecorded" && data.banked).length,
    late: closesAt && counting.filter((attempt) => Date.parse(handedInAt(attempt)) > closesAt).length,
    scored: scores.length,
    mean_score: scores.length === 0 ? null : meanOfTenths(scores.map((score) => Math.round(score * 10))),
    passed: scores.filter((score) => score >= 40).length,
  } as AssessmentFigures;
}

type Attempt = Of<"SubmissionCommitted" | "SubmissionRecorded">;

const handedInAt = (attempt: Attempt) =>
  attempt.type === "SubmissionCommitted" ? attempt.data.committedAt : attempt.data.handedInAt;

const scoreOf = (events: readonly RecordedEvent[], { stream }: Attempt) =>
  only(events, "SubmissionGraded").findLast((grade) => grade.stream === stream)?.data.score;

function attemptsThatCount(
  events: readonly RecordedEvent[],
  assignmentId: string,
  counts: "last" | "best" | "first",
): Attempt[] {
  const lapsed = new Set(only(events, "SubmissionLapsed").map(({ stream }) => stream));
  const students = Map.groupBy(
    only(events, "SubmissionCommitted", "SubmissionRecorded").filter(
      ({ data, stream }) => data.assignmentId === assignmentId && !lapsed.has(stream),
    ),
    ({ data }) => data.studentId,
  );
  return [...students.values()].map((attempts) => {
    // A stable sort: of two at one time the later in the log comes later.
    const inOrder = attempts.toSorted((a, b) => handedInAt(a).localeCompare(handedInAt(b)));
    const [first] = inOrder;
    if (!first) throw new Error("a student of this list has an attempt");
    if (counts === "first") return first;
    if (counts === "last") return inOrder.at(-1) ?? first;
    const score = (attempt: Attempt) => scoreOf(events, attempt) ?? -1;
    return inOrder.reduce((best, attempt) => (score(attempt) > score(best) ? attempt : best));
  });
}

/** Half up to two decimals, in whole numbers. */
function meanOfTenths(tenths: number[]): number {
  const hundredths = 10 * tenths.reduce((sum, each) => sum + each, 0);
  return Math.floor((2 * hundredths + tenths.length) / (2 * tenths.length)) / 100;
}

const localDay = (instant: Instant, timeZone: string) =>
  new Intl.DateTimeFormat("en-CA", { timeZone }).format(new Date(instant));

const daysBetween = (first: string, second: string) => (Date.parse(second) - Date.parse(first)) / 86_400_000;

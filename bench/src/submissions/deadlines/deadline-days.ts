/** Which days of the dataset are replayed, and what was handed in on them. Pure. */
import { createHash } from "node:crypto";
import { duringDay } from "@carillon/cli/oulad/calendar";
import type { OuladTables } from "@carillon/cli/oulad/tables";

type Assessment = OuladTables["assessments"][number];
type Submission = OuladTables["submissions"][number];

/** Something that was really handed in. */
export interface RealHandIn {
  readonly assessment: Assessment;
  readonly student: string;
  /** 0 on the deadline day, 1 on the day after. */
  readonly day: number;
  /** When on that day, 0 to 1. The dataset does not know: it is made of assessment and student, the same each time. */
  readonly timeOfDay: number;
  /** By the data: on a later day than the due day. */
  readonly late: boolean;
}

/** A day on which work was due, with everything that was handed in at the university on it and on the day after. */
export interface DeadlineDay {
  /** As in `2014-11-02`. */
  readonly date: string;
  /** In time on the day itself for what was due that day: how it is ranked. */
  readonly rush: number;
  readonly handIns: readonly RealHandIn[];
  /** How many days after this one an assessment is due; null where the dataset does not know its due day. */
  readonly dueIn: (assessment: Assessment) => number | null;
}

const dayMs = 86_400_000;

/** The number of a presentation's day, counted over all presentations. */
const dayNumber = ({ code_presentation }: Assessment, day: number): number =>
  Math.floor(Date.parse(duringDay(code_presentation, day)) / dayMs);

/**
 * The `count` deadline days on which most was handed in for what was due that very day, the busiest first. What was
 * banked, carried over from an earlier presentation, nobody handed in: it stays out.
 */
export function busiestDeadlineDays({ assessments, submissions }: OuladTables, count: number): DeadlineDay[] {
  const assessmentOf = new Map(assessments.map((row) => [row.id_assessment, row]));
  const byDay = new Map<number, { submission: Submission; assessment: Assessment }[]>();
  const rush = new Map<number, number>();
  for (const submission of submissions) {
    const assessment = assessmentOf.get(submission.id_assessment);
    if (!assessment || submission.is_banked) continue;
    const day = dayNumber(assessment, submission.date_submitted);
    const ofDay = byDay.get(day) ?? [];
    ofDay.push({ submission, assessment });
    byDay.set(day, ofDay);
    if (submission.date_submitted === assessment.date) rush.set(day, (rush.get(day) ?? 0) + 1);
  }
  const busiest = [...rush].sort(([day, one], [otherDay, other]) => other - one || day - otherDay);
  return busiest.slice(0, count).map(([number, inTime]) => ({
    date: new Date(number * dayMs).toISOString().slice(0, 10),
    rush: inTime,
    handIns: [0, 1].flatMap((day) =>
      (byDay.get(number + day) ?? []).map(({ submission, assessment }) => ({
        assessment,
        student: submission.id_student,
        day,
        timeOfDay: fractionOf(`${submission.id_assessment}/${submission.id_student}`),
        late: assessment.date !== null && submission.date_submitted > assessment.date,
      })),
    ),
    dueIn: (assessment) =>
      assessment.date === null ? null : dayNumber(assessment, assessment.date) - number,
  }));
}

/** Of a text, evenly spread from 0 up to but not 1. */
const fractionOf = (text: string): number =>
  createHash("sha256").update(text).digest().readUInt32BE() / 2 ** 32;

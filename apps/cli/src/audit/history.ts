import {
  assignmentDecider,
  CarillonError,
  type Category,
  type Instant,
  parseStreamName,
  personDecider,
  type StreamIds,
  streamName,
  submissionDecider,
  type TenantId,
  type UserId,
  userIdOf,
} from "@carillon/domain";
import { type EventLog, type Position, type RecordedEvent, readStored } from "@carillon/platform";
import { tenantNamed } from "../commands/arguments.ts";

/** Whose history is asked for. Without a slug the log is searched for the id, which takes as long as reading it. */
export type Subject =
  | { readonly kind: "submission"; readonly id: string; readonly slug: string | undefined }
  | { readonly kind: "assignment"; readonly id: string; readonly slug: string | undefined }
  | {
      readonly kind: "student";
      readonly student: { readonly id: string } | { readonly username: string };
      readonly slug: string | undefined;
      /** Whether their logins are wanted too. */
      readonly sessions: boolean;
    }
  | { readonly kind: "tenant"; readonly slug: string };

/** Part of the log, in its order. */
export interface History {
  /** How far the log has to be read; undefined where one stream is all of it. */
  readonly end: Position | undefined;
  /** @param passed is told each position that was read, of whatever event */
  events(passed: (position: Position) => void): AsyncIterable<RecordedEvent>;
}

/**
 * Finds a history. Throws `CarillonError` where there is no such submission, person, assignment or school.
 *
 * @param until only what the log had written by then; `occurredAt` says when things happened, and does not count
 */
export async function findHistory(
  log: EventLog,
  subject: Subject,
  until: Instant | undefined,
): Promise<History> {
  const known = ({ created }: { created: Instant }) => until === undefined || created <= until;
  if (subject.kind === "submission") {
    const { tenantId, id } = await placed(log, "submission", subject.id, subject.slug);
    const { state } = await log.load(submissionDecider, tenantId, id);
    if (!state) throw unknown.submission(id);
    return {
      end: undefined,
      async *events() {
        for await (const event of log.readStream(streamName("submission", tenantId, id))) {
          if (known(event)) yield event;
        }
      },
    };
  }
  const { tenantId, belongs } = await selection(log, subject);
  return {
    end: await log.head(),
    async *events(passed) {
      for await (const stored of log.readAll(undefined)) {
        passed(stored.position);
        // The clock of the log may be set back, so what comes later need not be later.
        if (parseStreamName(stored.stream)?.tenantId !== tenantId || !known(stored)) continue;
        const event = readStored(stored);
        if (belongs(event)) yield event;
      }
    },
  };
}

interface Selection {
  readonly tenantId: TenantId;
  /** Whether an event of this school is part of the history. */
  readonly belongs: (event: RecordedEvent) => boolean;
}

async function selection(
  log: EventLog,
  subject: Exclude<Subject, { kind: "submission" }>,
): Promise<Selection> {
  switch (subject.kind) {
    case "tenant":
      return { tenantId: await tenantNamed(log, subject.slug), belongs: () => true };
    case "assignment": {
      const { tenantId, id } = await placed(log, "assignment", subject.id, subject.slug);
      const { state } = await log.load(assignmentDecider, tenantId, id);
      if (!state) throw unknown.assignment(id);
      const own = streamName("assignment", tenantId, id);
      return {
        tenantId,
        belongs: ({ stream, data }) => stream === own || ("assignmentId" in data && data.assignmentId === id),
      };
    }
    case "student": {
      const { tenantId, id } = await personOf(log, subject);
      const { state } = await log.load(personDecider, tenantId, id);
      if (!state) throw unknown.user(nameOf(subject.student));
      const own = streamName("user", tenantId, id);
      return {
        tenantId,
        belongs: ({ stream, data }) =>
          stream === own ||
          ("studentId" in data && data.studentId === id) ||
          ("teacherId" in data && data.teacherId === id) ||
          (subject.sessions && "userId" in data && data.userId === id),
      };
    }
  }
}

type Student = Extract<Subject, { kind: "student" }>;

const nameOf = (student: Student["student"]) => ("id" in student ? student.id : student.username);

async function personOf(log: EventLog, { student, slug }: Student) {
  if ("id" in student) return placed(log, "user", student.id, slug);
  if (slug === undefined) throw unknown.user(student.username);
  const tenantId = await tenantNamed(log, slug);
  return { tenantId, id: userIdOf(tenantId, student.username) };
}

/** The school that a thing belongs to: the one that was named, else the one that the log says. */
async function placed<Kind extends Category & keyof typeof unknown>(
  log: EventLog,
  category: Kind,
  given: string,
  slug: string | undefined,
): Promise<{ tenantId: TenantId; id: StreamIds[Kind] }> {
  const id = given as StreamIds[Kind];
  if (slug !== undefined) return { tenantId: await tenantNamed(log, slug), id };
  const stream = await log.findStream(category, id);
  const ref = stream === undefined ? undefined : parseStreamName(stream);
  if (!ref) throw unknown[category](id);
  return { tenantId: ref.tenantId, id };
}

const unknown = {
  submission: (id: string) =>
    new CarillonError("submission_unknown", `There is no submission ${id} in the log.`),
  assignment: (id: string) =>
    new CarillonError("assignment_unknown", `There is no assignment ${id} in the log.`),
  user: (user: UserId | string) =>
    new CarillonError("user_unknown", `There is no person ${user} in the log.`),
};

import { createHash } from "node:crypto";
import {
  type AnswerKey,
  type AssignmentId,
  assignmentDecider,
  assignmentIdOf,
  classIdOf,
  instantOf,
  type SubmissionCommand,
  type SubmissionId,
  submissionDecider,
  submissionIdOf,
  type TenantId,
  tenantIdOf,
  userIdOf,
} from "@carillon/domain";
import {
  type ContentStore,
  commandContext,
  connectEventLog,
  type EventLog,
  openContent,
  type RecordedEvent,
} from "@carillon/platform";
import { type Pipeline, type Running, silentLogger, startPipeline } from "@carillon/testkit";
import type { JobHandler } from "../queue/job-handler.ts";
import { type ProcessingDependencies, runProcessing } from "../queue/run-processing.ts";
import { gradeHandler } from "../submissions/grade.ts";
import { lapseHandler } from "../submissions/lapse.ts";

/** A log, a bus and a relay between them, and processing in this process. */
export interface TestPlatform extends Pipeline {
  readonly content: ContentStore;
  /** Starts processing in this process, by default with the real handlers and hardly any back-off. */
  startProcessing(dependencies?: Partial<ProcessingDependencies>, handlers?: readonly JobHandler[]): Running;
}

/** Starts the servers and the relay. */
export async function startTestPlatform(): Promise<TestPlatform> {
  const pipeline = await startPipeline();
  // It notices soon that the log is away.
  const eventLog = connectEventLog(pipeline.eventStore.url, { patienceMs: 500 });
  const content = openContent(pipeline.bus);
  pipeline.startRelay();
  return {
    ...pipeline,
    eventLog,
    content,
    startProcessing: (
      dependencies = {},
      handlers = [gradeHandler(eventLog, content), lapseHandler(eventLog)],
    ) =>
      pipeline.run((signal) =>
        runProcessing(
          {
            bus: pipeline.bus,
            logger: silentLogger,
            observer: { done: () => {}, failed: () => {} },
            backOffMs: [20, 20, 20, 20],
            ...dependencies,
          },
          handlers,
          signal,
        ),
      ),
    async stop() {
      eventLog.close();
      await pipeline.stop();
    },
  };
}

/** Half of the points for a choice, half for a number. */
export const answerKey: AnswerKey = {
  questions: [
    { kind: "choice", id: "q1", correct: ["a"], points: 1 },
    { kind: "number", id: "q2", value: 42, tolerance: 0.5, points: 1 },
  ],
};

export const rightAnswers = JSON.stringify({ answers: { q1: ["a"], q2: 42 } });

/** A school with one assignment, which has an answer key. */
export async function openSchool(eventLog: EventLog, slug: string) {
  const tenantId = tenantIdOf(slug);
  const classId = classIdOf(tenantId, "9A");
  const assignmentId = assignmentIdOf(classId, "bells");
  const at = instantOf(new Date());
  await eventLog.execute(assignmentDecider, tenantId, assignmentId, [
    {
      command: {
        type: "PublishAssignment",
        classId,
        classOpened: true,
        profile: {
          code: "bells",
          title: "Bells",
          kind: "quiz",
          weight: 10,
          latePolicy: { kind: "accept" },
          graceSeconds: 0,
          counts: "last",
          answerKey,
        },
        dueAt: null,
        at,
      },
      context: commandContext(tenantId, "system:test", at),
    },
  ]);
  return { tenantId, assignmentId };
}
export type School = Awaited<ReturnType<typeof openSchool>>;

/** The digest of a text as content. */
export const digestOf = (text: string) => createHash("sha256").update(text).digest("hex");

/** Stores a text as content. */
export const store = (content: ContentStore, tenantId: TenantId, text: string) =>
  content.put(tenantId, digestOf(text), new TextEncoder().encode(text));

/** Hands in a text that is content already, or will be, in one write: as inline content, or only committed where `uploadBy` is given. */
export async function handIn(
  eventLog: EventLog,
  { tenantId, assignmentId }: School,
  key: string,
  text: string,
  uploadBy: Date | null = null,
): Promise<SubmissionId> {
  const studentId = userIdOf(tenantId, "student");
  const submissionId = submissionIdOf(tenantId, assignmentId, studentId, key);
  const at = instantOf(new Date());
  const sha256 = digestOf(text);
  const envelope = (command: SubmissionCommand) => ({
    command,
    context: commandContext(tenantId, studentId, at),
  });
  const commit = envelope({
    type: "CommitSubmission",
    facts: {
      assignmentId,
      studentId,
      assignment: await loadAssignment(eventLog, tenantId, assignmentId),
      membership: "student",
    },
    key,
    content: { sha256, bytes: text.length, name: "answers.json", mediaType: "application/json" },
    at,
    uploadBy: uploadBy && instantOf(uploadBy),
  });
  const receive = envelope({ type: "ReceiveContent", sha256, at });
  await eventLog.execute(submissionDecider, tenantId, submissionId, uploadBy ? [commit] : [commit, receive], {
    expectNew: true,
  });
  return submissionId;
}

const loadAssignment = async (eventLog: EventLog, tenantId: TenantId, assignmentId: AssignmentId) =>
  (await eventLog.load(assignmentDecider, tenantId, assignmentId)).state;

/** A submission's events of one type. */
export async function eventsOf<Type extends RecordedEvent["type"]>(
  eventLog: EventLog,
  { tenantId }: School,
  submissionId: SubmissionId,
  type: Type,
) {
  const found: Extract<RecordedEvent, { type: Type }>[] = [];
  for await (const event of eventLog.readStream(`submission-${tenantId}_${submissionId}`)) {
    if (event.type === type) found.push(event as Extract<RecordedEvent, { type: Type }>);
  }
  return found;
}

import {
  Answers,
  instantOf,
  mark,
  type SubmissionCommand,
  streamIdOf,
  submissionDecider,
  type TenantId,
} from "@carillon/domain";
import type { EventLog } from "@carillon/platform";
import { contextOf } from "../queue/context-of.ts";
import { defineHandler, done, type Outcome } from "../queue/job-handler.ts";
import { openAnswerKeys } from "./answer-keys.ts";

/** Where content comes from. */
export interface ContentReader {
  /** Undefined for content that is not there. */
  get(tenantId: TenantId, sha256: string): Promise<Uint8Array | undefined>;
}

/** More than the answers to 500 questions can be; what is larger is not read into memory. */
const maxBytes = 1_048_576;

/** Marks answers by the assignment's key. What has a grade keeps it. */
export function gradeHandler(eventLog: EventLog, content: ContentReader) {
  const answerKey = openAnswerKeys(eventLog);
  return defineHandler({
    name: "grade",
    category: "submission",
    eventType: "SubmissionReceived",
    wants: ({ data }) => data.autograded,
    async handle(event): Promise<Outcome> {
      const { tenantId } = event.metadata;
      const { assignmentId, sha256 } = event.data;
      const id = streamIdOf("submission", event.stream);
      const loaded = await eventLog.load(submissionDecider, tenantId, id);
      // Work that comes again is done, even if the content has gone since.
      if (loaded.state?.grade) return done;
      const key = await answerKey(tenantId, assignmentId);
      if (key === undefined) return { kind: "retry", reason: "The assignment is not in the log." };
      if (key === null)
        return { kind: "dead", reason: "The assignment has no answer key. Grade this one by hand." };
      if ((loaded.state?.content?.bytes ?? 0) > maxBytes) return unreadable;
      const bytes = await content.get(tenantId, sha256);
      if (!bytes) return { kind: "retry", reason: "The content of this submission is not in the store." };
      const answers = readAnswers(bytes);
      if (!answers) return unreadable;
      const { score, right } = mark(key, answers);
      const at = instantOf(new Date());
      const command: SubmissionCommand = {
        type: "MarkSubmission",
        score,
        feedback: `${right} of ${key.questions.length} answers are right.`,
      };
      const context = contextOf("grade", event, at);
      await eventLog.execute(submissionDecider, tenantId, id, [{ command, context }], { loaded });
      return done;
    },
  });
}

const unreadable: Outcome = {
  kind: "dead",
  reason:
    'The file does not hold answers, which are JSON such as {"answers": {"q1": ["a"], "q2": 42}}. Grade it by hand, or let the student hand in again.',
};

function readAnswers(bytes: Uint8Array): Answers | undefined {
  try {
    return Answers.safeParse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))).data;
  } catch {
    return undefined;
  }
}

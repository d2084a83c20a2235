import { type Instant, instantOf, streamIdOf, submissionDecider } from "@carillon/domain";
import type { EventLog } from "@carillon/platform";
import { contextOf } from "../queue/context-of.ts";
import { defineHandler, done } from "../queue/job-handler.ts";

/** Lets a submission lapse whose content has not come in time. */
export const lapseHandler = (eventLog: EventLog) =>
  defineHandler({
    name: "lapse",
    category: "submission",
    eventType: "SubmissionCommitted",
    wants: ({ data }) => data.uploadBy !== null,
    dueAt: ({ data }) => new Date(data.uploadBy as Instant),
    async handle(event) {
      const at = instantOf(new Date());
      await eventLog.execute(
        submissionDecider,
        event.metadata.tenantId,
        streamIdOf("submission", event.stream),
        [{ command: { type: "LapseSubmission", at }, context: contextOf("lapse", event, at) }],
      );
      return done;
    },
  });

import {
  type AssignmentState,
  currentVersion,
  eventIdOf,
  fold,
  instantOf,
  type SubmissionCommand,
  streamName,
  submissionDecider,
  submissionIdOf,
} from "@carillon/domain";
import { commandContext } from "@carillon/platform";
import { EventStoreDBClient, jsonEvent, NO_STREAM } from "@eventstore/db-client";
import { quiz } from "../answers.ts";
import { digestOf, type HandIn } from "../hand-in.ts";
import type { Schools } from "../schools.ts";
import type { Submit } from "../submit.ts";
import { confirmationOf } from "./baseline-school.ts";

/**
 * Hands in by appending the very events that Carillon would, raw and durable, to the event store at `url`. Content is
 * not stored and nothing is checked.
 */
export function appendTo(url: string, { classes }: Schools): Submit {
  const client = EventStoreDBClient.connectionString(url);
  const dueAt = instantOf(new Date(Date.now() + 86_400_000));
  const assignments = new Map(
    classes.flatMap(({ classId, assignments }) =>
      assignments.map(({ id, code }) => [
        id,
        { classId, profile: quiz(code), publishedDueAt: dueAt, dueAt } satisfies AssignmentState,
      ]),
    ),
  );
  return async (handIn) => {
    const { tenantId, studentId, assignmentId, key } = handIn;
    const sha256 = digestOf(handIn.content);
    const id = submissionIdOf(tenantId, assignmentId, studentId, key);
    const events = eventsOf(handIn, sha256, assignments.get(assignmentId)).map(({ type, data }) => {
      const { commandId, ...context } = commandContext(tenantId, studentId, instantOf(new Date()));
      const metadata = { ...context, schema: currentVersion(type) };
      return jsonEvent({ id: eventIdOf(commandId, 0), type, data, metadata });
    });
    await client.appendToStream(streamName("submission", tenantId, id), events, {
      expectedRevision: NO_STREAM,
    });
    return confirmationOf(id, sha256);
  };
}

function eventsOf(
  { assignmentId, studentId, key, content }: HandIn,
  sha256: string,
  assignment: AssignmentState,
) {
  const at = instantOf(new Date());
  const commit: SubmissionCommand = {
    type: "CommitSubmission",
    facts: { assignmentId, studentId, assignment, membership: "student" },
    key,
    content: { sha256, bytes: content.length, name: "answers.json", mediaType: "application/json" },
    at,
    uploadBy: null,
  };
  const committed = decided(commit, undefined);
  const state = fold(submissionDecider, submissionDecider.initial, committed);
  return [...committed, ...decided({ type: "ReceiveContent", sha256, at }, state)];
}

function decided(command: SubmissionCommand, state: Parameters<typeof submissionDecider.decide>[1]) {
  const decision = submissionDecider.decide(command, state);
  if (!decision.accepted) throw new Error(decision.refusal.message);
  return decision.events;
}

import {
  type AssignmentId,
  type assignmentEvents,
  type ClassId,
  type classEvents,
  type DomainEventType,
  parseStreamName,
  type personEvents,
  type SubmissionId,
  type submissionEvents,
  type TenantId,
  type tenantEvents,
  type UserId,
} from "@carillon/domain";

/** What the id in the stream of an event is of. */
export type IdOf<Type extends DomainEventType> = Type extends keyof typeof tenantEvents
  ? TenantId
  : Type extends keyof typeof personEvents
    ? UserId
    : Type extends keyof typeof classEvents
      ? ClassId
      : Type extends keyof typeof assignmentEvents
        ? AssignmentId
        : Type extends keyof typeof submissionEvents
          ? SubmissionId
          : string;

/** The id of the thing that the event happened to: its stream is named after it. */
export function idOf<Type extends DomainEventType>({
  stream,
}: {
  readonly type: Type;
  readonly stream: string;
}): IdOf<Type> {
  const name = parseStreamName(stream);
  if (!name) throw new Error(`the stream ${stream} is not ours`);
  return name.id as IdOf<Type>;
}

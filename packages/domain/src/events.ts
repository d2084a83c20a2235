import { z } from "zod";
import { type EventOf, type EventType, UnreadableEvent, upcast } from "./event-type.ts";
import { Actor, TenantId } from "./ids.ts";
import { sessionEvents } from "./login/session.ts";
import { keyringEvents } from "./receipts/keyring.ts";
import { assignmentEvents } from "./school/assignment.ts";
import { classEvents } from "./school/class.ts";
import { membershipEvents } from "./school/membership.ts";
import { personEvents } from "./school/person.ts";
import { tenantEvents } from "./school/tenant.ts";
import { submissionEvents } from "./submissions/submission-events.ts";
import { Instant } from "./time.ts";

/** Every event type there is. */
export const eventCatalogue = {
  ...tenantEvents,
  ...personEvents,
  ...classEvents,
  ...membershipEvents,
  ...assignmentEvents,
  ...submissionEvents,
  ...sessionEvents,
  ...keyringEvents,
};

export type DomainEvent = EventOf<typeof eventCatalogue>;
export type DomainEventType = DomainEvent["type"];

/** What is known of an event beside what happened. */
export const EventMetadata = z.object({
  tenantId: TenantId,
  actor: Actor,
  /** When it happened for the school; when we wrote it is the log's own `created`. */
  occurredAt: Instant,
  /** Shared by everything that one request led to. */
  correlationId: z.uuid(),
  /** The event that made this one necessary, if one did. */
  causationId: z.uuid().nullable(),
  /** The version of the data's schema. */
  schema: z.int().min(1),
});
export type EventMetadata = z.infer<typeof EventMetadata>;

/** Reads an event of any version from its stored form. Throws `UnreadableEvent`. */
export function readEvent(
  type: string,
  data: unknown,
  metadata: unknown,
): DomainEvent & { metadata: EventMetadata } {
  const known = Object.hasOwn(eventCatalogue, type);
  const parsed = EventMetadata.safeParse(metadata);
  if (!parsed.success) throw new UnreadableEvent(type, 0, `metadata: ${parsed.error.message}`);
  if (!known) throw new UnreadableEvent(type, parsed.data.schema, "this program does not know the type");
  const definition: EventType = eventCatalogue[type as DomainEventType];
  const current = upcast(type, definition, parsed.data.schema, data);
  return { type, data: current, metadata: parsed.data } as DomainEvent & { metadata: EventMetadata };
}

/** The schema version that events of this type are written with. */
export const currentVersion = (type: DomainEventType): number => eventCatalogue[type].version;

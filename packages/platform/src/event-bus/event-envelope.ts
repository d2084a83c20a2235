import { parseStreamName, type TenantId } from "@carillon/domain";
import type { Position, StoredEvent } from "../event-log/event-log.ts";
import { partitionOf } from "./partition.ts";

/** An event that knows the one before it in its partition: a reader that has that one too has missed nothing. */
export interface ChainedEvent extends StoredEvent {
  /** Null for the partition's first. */
  readonly previous: Position | null;
}

/** Whose event it is and where it goes on the bus. */
export interface EventRoute {
  readonly tenantId: TenantId;
  readonly partition: number;
  /** `events.<partition>.<tenantId>.<category>.<EventType>` */
  readonly subject: string;
}

/** The route of an event, or undefined for one that is not ours: a foreign stream, or a type that is no name. */
export function routeOf({ stream, type }: Pick<StoredEvent, "stream" | "type">): EventRoute | undefined {
  const parsed = parseStreamName(stream);
  if (!parsed || !/^[A-Za-z][A-Za-z0-9]*$/.test(type)) return undefined;
  const { tenantId, category } = parsed;
  const partition = partitionOf(tenantId);
  return { tenantId, partition, subject: `events.${partition}.${tenantId}.${category}.${type}` };
}

/** An event as it travels on the bus: JSON, positions in decimal digits. */
export const encodeEnvelope = ({ position, previous, ...event }: ChainedEvent): Uint8Array =>
  encoder.encode(
    JSON.stringify({
      ...event,
      position: String(position),
      previous: previous === null ? null : String(previous),
    }),
  );

/** Reads what `encodeEnvelope` wrote. */
export function decodeEnvelope(bytes: Uint8Array): ChainedEvent {
  const event = JSON.parse(decoder.decode(bytes));
  event.position = BigInt(event.position);
  if (event.previous !== null) event.previous = BigInt(event.previous);
  return event;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Which link a standard projection of EventStoreDB makes for an event. The rules are those of its
 * `CategorizeEventsByStreamPath` and `IndexEventsByEventType`.
 */
import { LINK_TYPE } from "../storage/links.ts";
import {
  recordData,
  recordHeader,
  recordId,
  recordPosition,
  recordRevision,
  TOMBSTONE_REVISION,
} from "../storage/record.ts";
import { describedBy, isSoftDeleted, retentionOf } from "../storage/stream-metadata.ts";

/** A link to be appended to `stream`. */
export interface Link {
  readonly stream: string;
  /** `<revision>@<stream>` of the event that it stands for. */
  readonly target: string;
  /** JSON; `$c` is the position of the event that caused the link. */
  readonly metadata: Uint8Array;
}

/** A projection that every node has. */
export interface StandardProjection {
  readonly name: string;
  /** How the names of the streams begin to which it links. */
  readonly prefix: string;
  /** The link for a stored record, or undefined when there is none. */
  readonly linkFor: (record: Buffer) => Link | undefined;
}

/** The type under which the ends of streams are found. */
const DELETED_TYPE = "$deleted";
const TOMBSTONE_TYPE = "$streamDeleted";
const METADATA_TYPE = "$metadata";

/** `$ce-<category>`: the events of all streams whose name begins with the category and a dash. */
export const byCategory: StandardProjection = {
  name: "$by_category",
  prefix: "$ce-",
  linkFor(record) {
    const { stream, type } = recordHeader(record);
    const ended = endedStream(stream, type, record);
    const origin = ended ?? stream;
    const dash = origin.indexOf("-");
    if (dash < 1 || origin.startsWith("$")) return undefined;
    const target = type === LINK_TYPE ? recordData(record).toString() : targetOf(record, stream, type);
    const metadata = causedBy(record, { $o: origin, ...(ended !== undefined && { $deleted: -1 }) });
    return { stream: `$ce-${origin.slice(0, dash)}`, target, metadata };
  },
};

/** `$et-<type>`: the events of one type, in whatever stream; the ends of streams are in `$et-$deleted`. */
export const byEventType: StandardProjection = {
  name: "$by_event_type",
  prefix: "$et-",
  linkFor(record) {
    const { stream, type } = recordHeader(record);
    if (type === LINK_TYPE) return undefined;
    const ended = endedStream(stream, type, record);
    return {
      stream: `$et-${ended === undefined ? type : DELETED_TYPE}`,
      target: targetOf(record, ended ?? stream, type),
      metadata: causedBy(record, ended === undefined ? {} : { $deleted: -1 }),
    };
  },
};

/** The stream that this record ends, by a tombstone or for now. */
function endedStream(stream: string, type: string, record: Buffer): string | undefined {
  const described = describedBy(stream);
  if (described === undefined) return type === TOMBSTONE_TYPE ? stream : undefined;
  if (type !== METADATA_TYPE) return undefined;
  return isSoftDeleted(retentionOf(described, recordData(record))) ? described : undefined;
}

function targetOf(record: Buffer, stream: string, type: string): string {
  return `${type === TOMBSTONE_TYPE ? TOMBSTONE_REVISION : recordRevision(record)}@${stream}`;
}

function causedBy(record: Buffer, more: Record<string, unknown>): Uint8Array {
  const position = recordPosition(record);
  return Buffer.from(JSON.stringify({ $c: position, $p: position, $causedBy: recordId(record), ...more }));
}

/** The streams in which a node keeps its subscription groups, named and laid out as on the real server. */
import type { EventLog } from "../storage/log.ts";
import { recordHeader } from "../storage/record.ts";
import { metastreamOf, parseObject } from "../storage/stream-metadata.ts";
import { ALL } from "./settings.ts";

const PREFIX = "$persistentsubscription-";
const CHECKPOINT_SUFFIX = "-checkpoint";
const PARKED_SUFFIX = "-parked";
const ID_SIZE = 36;
const ALL_PREFIX = `${PREFIX}${ALL}::`;

/** What the streams of groups let only administrators do. */
const ADMINS_ONLY = { $r: "$admins", $w: "$admins", $d: "$admins", $mr: "$admins", $mw: "$admins" };

/** Where the group with this key keeps how far it has come. */
export function checkpointStream(key: string): string {
  return `${PREFIX}${key}${CHECKPOINT_SUFFIX}`;
}

/** Where the group with this key keeps links to the events that it gave up. */
export function parkedStream(key: string): string {
  return `${PREFIX}${key}${PARKED_SUFFIX}`;
}

/** Whether `$all` leaves the record out: a group that reads `$all` would read what it writes, for ever. */
export function isHiddenInAll(record: Buffer): boolean {
  if (!namesSystemStream(record)) return false;
  const { stream } = recordHeader(record);
  return (
    stream.startsWith(ALL_PREFIX) && (stream.endsWith(CHECKPOINT_SUFFIX) || stream.endsWith(PARKED_SUFFIX))
  );
}

/** Whether the stream's name begins with `$p`: so few do that a reader of many looks closely at few. */
function namesSystemStream(record: Buffer): boolean {
  let at = 1; // ReadResp.event
  while ((record[at++] ?? 0) >= 0x80);
  at++; // ReadEvent.event
  while ((record[at++] ?? 0) >= 0x80);
  at += 4 + ID_SIZE + 1; // RecordedEvent.id and .stream_identifier
  while ((record[at++] ?? 0) >= 0x80);
  at++; // StreamIdentifier.stream_name
  while ((record[at++] ?? 0) >= 0x80);
  return record[at] === 0x24 && record[at + 1] === 0x70;
}

/** An event that the node itself writes. */
export interface SystemEvent {
  readonly type: string;
  readonly isJson: boolean;
  readonly data: string;
  readonly metadata?: string;
}

/** Appends `event` to `stream`, whatever that holds; resolves when it is on disk. */
export async function appendSystemEvent(
  log: EventLog,
  stream: string,
  event: SystemEvent,
  newId: () => string,
): Promise<void> {
  const { type, isJson, data, metadata = "" } = event;
  const result = await log.append({
    stream,
    expected: "any",
    events: [{ id: newId(), type, isJson, data: Buffer.from(data), metadata: Buffer.from(metadata) }],
  });
  if (result.kind !== "written") throw new Error(`the stream ${stream} cannot be written: ${result.kind}`);
}

/** Changes some of the metadata of `stream`, and closes it to all but administrators. */
export async function changeMetadata(
  log: EventLog,
  stream: string,
  changes: Readonly<Record<string, number>>,
  newId: () => string,
): Promise<void> {
  const before = log.reader.metadata(stream);
  const metadata = { ...(before && parseObject(before)), ...changes, $acl: ADMINS_ONLY };
  const event = { type: "$metadata", isJson: true, data: JSON.stringify(metadata) };
  await appendSystemEvent(log, metastreamOf(stream), event, newId);
}

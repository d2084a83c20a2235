import { resolveLink } from "../storage/links.ts";
import type { LogReader } from "../storage/log-reader.ts";
import { withStructuredIds } from "../wire/structured-ids.ts";
import type { EventForm } from "./read-requests.ts";

/** What turns stored records into the form that a reader asked for; they stay as they are unless it asked for one. */
export function eventFormatter(
  reader: LogReader,
  { resolveLinks, structuredIds }: EventForm,
  now: () => number,
): (record: Buffer) => Buffer {
  const resolve = resolveLinks ? (record: Buffer) => resolveLink(reader, record, now()) : asIs;
  return structuredIds ? (record) => withStructuredIds(resolve(record)) : resolve;
}

function asIs(record: Buffer): Buffer {
  return record;
}

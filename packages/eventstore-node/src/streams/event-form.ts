import { resolveLink } from "../storage/links.ts";
import type { LogReader } from "../storage/log-reader.ts";
import { withStructuredIds } from "../wire/structured-ids.ts";
import type { EventForm } from "./read-requests.ts";

/** How stored records are sent to a reader who asked for this form; as they are when nothing special was asked for. */
export function presentation(
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

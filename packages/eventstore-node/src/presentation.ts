import { resolveLink } from "./links.ts";
import type { LogReader } from "./log-reader.ts";
import type { EventForm } from "./read-requests.ts";
import { withStructuredIds } from "./structured-ids.ts";

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

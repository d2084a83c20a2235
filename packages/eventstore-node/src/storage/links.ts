import { WireWriter } from "../encoding/protobuf.ts";
import type { LogReader } from "./log-reader.ts";
import { recordData, recordedEvent, recordHeader, recordPosition } from "./record.ts";

/** The type of an event that stands for another; its data says which: `<revision>@<stream>`. */
export const LINK_TYPE = "$>";

const writer = new WireWriter();

/**
 * What a reader that wants links resolved gets for `record`: of a link the event that it stands for and the link, or the
 * link alone when that event cannot be seen any more. As on the real server a link whose data begins with no number is
 * an event like others. `now` is in milliseconds since 1970.
 */
export function resolveLink(reader: LogReader, record: Buffer, now: number): Buffer {
  if (recordHeader(record).type !== LINK_TYPE) return record;
  const [, revision, stream] = /^([+-]?\d+)(?:@(.*))?$/su.exec(recordData(record).toString()) ?? [];
  if (revision === undefined) return record;
  const target = stream === undefined ? undefined : reader.visible(stream, Number(revision), now);
  return writer
    .message(1, (read) => {
      if (target !== undefined) read.bytes(1, recordedEvent(target));
      read.bytes(2, recordedEvent(record)).uint(3, recordPosition(record));
    })
    .finish();
}

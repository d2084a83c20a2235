import { parseStreamName } from "@carillon/domain";
import type { RecordedEvent } from "@carillon/platform";

/** The id of the thing that the event happened to: its stream is named after it. */
export function idOf({ stream }: Pick<RecordedEvent, "stream">): string {
  const parts = parseStreamName(stream);
  if (!parts) throw new Error(`the stream ${stream} is not ours`);
  return parts.id;
}

import { recordFilter } from "../../storage/filters.ts";
import type { EventLog } from "../../storage/log.ts";
import { isExpired } from "../../storage/log-reader.ts";
import { ALL, type GroupConfig } from "../settings.ts";
import { isHiddenInAll } from "../streams.ts";

/** One step through a source. */
export interface SourcePage {
  /** The events that the group wants, with their positions. */
  readonly events: readonly { readonly sourcePosition: number; readonly record: Buffer }[];
  /** Where to go on. */
  readonly next: number;
  /** The last position that was looked at and counts; undefined when none does. */
  readonly reached: number | undefined;
}

/** Where a group takes its events from. Its positions are revisions of the stream, or those of the log for `$all`. */
export interface Source {
  /** At most `limit` events from position `from` on; undefined at the end. */
  page(from: number, limit: number): SourcePage | undefined;
  /** The position after the last event that there is now. */
  readonly end: number;
  /** The position of the last event that the group wants, as far as a short look tells. */
  readonly lastWanted: number | undefined;
}

/** The source of a group; `now` gives milliseconds since 1970. */
export function openSource(log: EventLog, { source, filter }: GroupConfig, now: () => number): Source {
  if (source !== ALL) return streamSource(log, source, now);
  const matches = filter && recordFilter(filter.on, filter.regex, filter.prefixes);
  return allSource(log, matches === undefined ? 1 : FILTERED_PER_WANTED, (record) => {
    if (isHiddenInAll(record)) return "hidden";
    return matches === undefined || matches(record) ? "wanted" : "passed";
  });
}

function streamSource(log: EventLog, stream: string, now: () => number): Source {
  return {
    page(from, limit) {
      const view = log.reader.view(stream);
      if (view.kind !== "found") return undefined;
      const start = Math.max(from, view.first);
      if (start > view.last) return undefined;
      const records = log.reader.stream(view.number, start, view.last, limit);
      const events = records
        .map((record, offset) => ({ sourcePosition: start + offset, record }))
        .filter(({ record }) => !isExpired(record, view.maxAge, now()));
      const next = start + records.length;
      return { events, next, reached: next - 1 };
    },
    get end() {
      const view = log.reader.view(stream);
      return view.kind === "found" ? view.last + 1 : 0;
    },
    get lastWanted() {
      const view = log.reader.view(stream);
      return view.kind === "found" && view.first <= view.last ? view.last : undefined;
    },
  };
}

/** How many events are looked at for each that a filter may let through, before others get a turn. */
const FILTERED_PER_WANTED = 8;

function allSource(
  log: EventLog,
  readsPerWanted: number,
  judge: (record: Buffer) => "wanted" | "passed" | "hidden",
): Source {
  return {
    page(from, limit) {
      const last = log.lastPosition;
      // Positions count from 1.
      let next = Math.max(from, 1);
      if (next > last) return undefined;
      const events: { sourcePosition: number; record: Buffer }[] = [];
      let reached: number | undefined;
      for (const record of log.reader.all(next, last, limit * readsPerWanted)) {
        const sourcePosition = next++;
        const verdict = judge(record);
        if (verdict !== "hidden") reached = sourcePosition;
        if (verdict !== "wanted") continue;
        events.push({ sourcePosition, record });
        if (events.length === limit) break;
      }
      return { events, next, reached };
    },
    get end() {
      return log.lastPosition + 1;
    },
    get lastWanted() {
      let position = log.lastPosition;
      if (position === 0) return undefined;
      for (const record of log.reader.all(position, 1, Infinity)) {
        if (judge(record) === "wanted") return position;
        position--;
      }
      return undefined;
    },
  };
}

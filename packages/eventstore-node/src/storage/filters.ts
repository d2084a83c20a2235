import type streams from "@eventstore/db-client/generated/streams_pb.js";
import { recordHeader } from "./record.ts";

/** Whether a reader wants the stored record. */
export type RecordFilter = (record: Buffer) => boolean;

/** A filter as a client asks for it, with how often it wants to hear how far the search has come. */
export interface Filter {
  readonly matches: RecordFilter;
  /** A checkpoint is due whenever this many events were considered. */
  readonly checkpointInterval: number;
}

/** How many events the server looks through at a time when the client does not say. */
const DEFAULT_SEARCH_WINDOW = 32;

/**
 * The filter in a read request, or undefined when the request has none.
 * @throws RangeError when it cannot be understood.
 */
export function parseFilter(options: streams.ReadReq.Options): Filter | undefined {
  const filter = options.getFilter();
  if (filter === undefined) return undefined;
  const byType = filter.getEventType();
  const expression = byType ?? filter.getStreamIdentifier();
  if (expression === undefined)
    throw new RangeError("a filter needs an event type or a stream name expression");
  const multiplier = filter.getCheckpointintervalmultiplier();
  if (multiplier === 0) throw new RangeError("the checkpoint interval multiplier must be at least 1");
  const window = filter.hasMax() ? filter.getMax() : DEFAULT_SEARCH_WINDOW;
  return {
    matches: recordFilter(
      byType === undefined ? "stream" : "type",
      expression.getRegex(),
      expression.getPrefixList(),
    ),
    checkpointInterval: multiplier * window,
  };
}

/**
 * Wants the records whose stream name or event type matches `regex` or, when that is empty, begins with a prefix.
 * @throws RangeError when the regular expression is none.
 */
export function recordFilter(
  on: "stream" | "type",
  regex: string,
  prefixes: readonly string[],
): RecordFilter {
  const accepts = textFilter(regex, prefixes);
  return (record) => accepts(recordHeader(record)[on]);
}

function textFilter(regex: string, prefixes: readonly string[]): (text: string) => boolean {
  if (regex !== "") {
    const pattern = compile(regex);
    return (text) => pattern.test(text);
  }
  return (text) => prefixes.some((prefix) => text.startsWith(prefix));
}

function compile(regex: string): RegExp {
  try {
    return new RegExp(regex, "u");
  } catch (cause) {
    throw new RangeError(`the filter's regular expression is not valid: ${regex}`, { cause });
  }
}

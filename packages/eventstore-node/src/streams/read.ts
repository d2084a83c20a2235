import { setImmediate as nextTurn } from "node:timers/promises";
import { isHiddenInAll } from "../persistent/streams.ts";
import type { EventLog } from "../storage/log.ts";
import { isExpired } from "../storage/log-reader.ts";
import { streamDeleted } from "../wire/rpc-errors.ts";
import { eventFormatter } from "./event-form.ts";
import type { BoundedRead } from "./read-requests.ts";
import { type ResponseWriter, streamNotFound } from "./response-writer.ts";

/**
 * Sends up to `limit` events of `$all`. As on the real server a position is the gap before its event: forwards starts
 * with the event at the position, backwards with the one before it.
 */
export async function readAll(
  log: EventLog,
  request: BoundedRead,
  response: ResponseWriter,
  now: () => number,
): Promise<void> {
  const { backwards, filter, from } = request;
  const format = eventFormatter(log.reader, request, now);
  const end = log.lastPosition;
  const gap = from === "start" ? 1 : from === "end" ? end + 1 : Math.min(Math.max(from, 1), end + 1);
  const step = backwards ? -1 : 1;
  let next = backwards ? gap - 1 : gap;
  let left = request.limit;
  while (left > 0 && next >= 1 && next <= end && response.isOpen) {
    for (const record of log.reader.all(next, backwards ? 1 : end, filter === undefined ? left : Infinity)) {
      next += step;
      if (isHiddenInAll(record) || filter?.matches(record) === false) continue;
      if (!response.send(format(record))) await response.drained();
      left--;
      if (left === 0) break;
    }
    await nextTurn();
  }
}

/** Sends up to `limit` visible events of the stream, starting with the revision asked for. */
export async function readStream(
  log: EventLog,
  stream: string,
  request: BoundedRead,
  response: ResponseWriter,
  now: () => number,
): Promise<void> {
  const view = log.reader.view(stream);
  if (view.kind === "tombstoned") throw streamDeleted(stream);
  if (view.kind === "missing") {
    response.send(streamNotFound(stream));
    return;
  }
  const { backwards, from } = request;
  const format = eventFormatter(log.reader, request, now);
  const { number, first, last } = view;
  const wanted = from === "start" ? 0 : from === "end" ? last + 1 : from;
  const step = backwards ? -1 : 1;
  let next = backwards ? Math.min(wanted, last) : Math.max(wanted, first);
  let left = request.limit;
  while (left > 0 && next >= first && next <= last && response.isOpen) {
    for (const record of log.reader.stream(number, next, backwards ? first : last, left)) {
      next += step;
      if (isExpired(record, view.maxAge, now())) continue;
      if (!response.send(format(record))) await response.drained();
      left--;
    }
    await nextTurn();
  }
}

import { setImmediate as nextTurn } from "node:timers/promises";
import { isHiddenInAll } from "../persistent/streams.ts";
import type { EventLog } from "../storage/log.ts";
import { isExpired } from "../storage/log-reader.ts";
import { badRequest, streamDeleted } from "../wire/rpc-errors.ts";
import { eventFormatter } from "./event-form.ts";
import type { From, SubscriptionRequest } from "./read-requests.ts";
import { caughtUp, checkpoint, confirmation, type ResponseWriter } from "./response-writer.ts";

/**
 * Sends the events of `$all` after the position asked for, then those that are appended, until the client leaves. There
 * is no live queue: every subscriber reads the log at its own pace, so a slow one costs no memory.
 */
export async function subscribeToAll(
  log: EventLog,
  request: SubscriptionRequest,
  response: ResponseWriter,
  subscriptionId: string,
  now: () => number,
): Promise<void> {
  const { from, filter } = request;
  const format = eventFormatter(log.reader, request, now);
  if (typeof from === "number" && from > log.lastPosition) {
    throw badRequest(`position ${from} is past the end of the log, ${log.lastPosition}`);
  }
  const commits = new CommitSignal(log, response);
  let next = firstAfter(from, 1, log.lastPosition);
  let considered = 0;
  let isCaughtUp = false;
  response.send(confirmation(subscriptionId));
  while (response.isOpen) {
    const last = log.lastPosition;
    if (next > last) {
      if (!isCaughtUp) response.send(caughtUp());
      isCaughtUp = true;
      await commits.next();
      continue;
    }
    for (const record of log.reader.all(next, last, Infinity)) {
      const isWanted = !isHiddenInAll(record) && filter?.matches(record) !== false;
      if (isWanted && !response.send(format(record))) await response.drained();
      if (filter !== undefined && ++considered % filter.checkpointInterval === 0) {
        if (!response.send(checkpoint(next))) await response.drained();
      }
      next++;
    }
    await nextTurn();
  }
}

/** The same for one stream, which may also come into being later. Ends with an error when it is tombstoned. */
export async function subscribeToStream(
  log: EventLog,
  stream: string,
  request: SubscriptionRequest,
  response: ResponseWriter,
  subscriptionId: string,
  now: () => number,
): Promise<void> {
  const { from } = request;
  const format = eventFormatter(log.reader, request, now);
  const commits = new CommitSignal(log, response);
  const start = log.reader.view(stream);
  let next = firstAfter(from, 0, start.kind === "found" ? start.last : -1);
  let isCaughtUp = false;
  response.send(confirmation(subscriptionId));
  while (response.isOpen) {
    const view = log.reader.view(stream);
    if (view.kind === "tombstoned") throw streamDeleted(stream);
    if (view.kind === "found") next = Math.max(next, view.first);
    if (view.kind === "missing" || next > view.last) {
      if (!isCaughtUp) response.send(caughtUp());
      isCaughtUp = true;
      await commits.next();
      continue;
    }
    for (const record of log.reader.stream(view.number, next, view.last, Infinity)) {
      next++;
      if (!isExpired(record, view.maxAge, now()) && !response.send(format(record))) await response.drained();
    }
    await nextTurn();
  }
}

function firstAfter(from: From, first: number, last: number): number {
  if (from === "start") return first;
  return (from === "end" ? last : from) + 1;
}

/**
 * Wakes one subscriber. Subscribers look at the log and begin to wait in the same turn of the event loop, so no commit
 * falls between the two.
 */
class CommitSignal {
  #wake: (() => void) | undefined;

  constructor(log: EventLog, response: ResponseWriter) {
    const stop = log.onCommit(() => this.#wake?.());
    response.onClose(() => {
      stop();
      this.#wake?.();
    });
  }

  /** Resolves after the next commit, or when the client is gone. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

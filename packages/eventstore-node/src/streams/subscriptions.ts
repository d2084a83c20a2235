import { setImmediate as nextTurn } from "node:timers/promises";
import { isHiddenInAll } from "../persistent/streams.ts";
import type { EventLog } from "../storage/log.ts";
import { isExpired } from "../storage/log-reader.ts";
import { badRequest, streamDeleted } from "../wire/rpc-errors.ts";
import { presentation } from "./event-form.ts";
import type { From, SubscriptionRequest } from "./read-requests.ts";
import { caughtUp, checkpoint, confirmation, type Outlet } from "./response-writer.ts";

/**
 * Sends the events of `$all` after the place asked for, then those that are appended, until the client leaves. There
 * is no live queue: every subscriber reads the log at its own pace, so a slow one costs no memory.
 */
export async function subscribeToAll(
  log: EventLog,
  request: SubscriptionRequest,
  outlet: Outlet,
  subscriptionId: string,
  now: () => number,
): Promise<void> {
  const { from, filter } = request;
  const present = presentation(log.reader, request, now);
  if (typeof from === "number" && from > log.lastPosition) {
    throw badRequest(`position ${from} is past the end of the log, ${log.lastPosition}`);
  }
  const commits = new CommitSignal(log, outlet);
  let next = firstAfter(from, 1, log.lastPosition);
  let considered = 0;
  let isCaughtUp = false;
  outlet.send(confirmation(subscriptionId));
  while (outlet.isOpen) {
    const last = log.lastPosition;
    if (next > last) {
      if (!isCaughtUp) outlet.send(caughtUp());
      isCaughtUp = true;
      await commits.next();
      continue;
    }
    for (const record of log.reader.all(next, last, Infinity)) {
      const isWanted = !isHiddenInAll(record) && filter?.matches(record) !== false;
      if (isWanted && !outlet.send(present(record))) await outlet.drained();
      if (filter !== undefined && ++considered % filter.checkpointInterval === 0) {
        if (!outlet.send(checkpoint(next))) await outlet.drained();
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
  outlet: Outlet,
  subscriptionId: string,
  now: () => number,
): Promise<void> {
  const { from } = request;
  const present = presentation(log.reader, request, now);
  const commits = new CommitSignal(log, outlet);
  const start = log.reader.view(stream);
  let next = firstAfter(from, 0, start.kind === "found" ? start.last : -1);
  let isCaughtUp = false;
  outlet.send(confirmation(subscriptionId));
  while (outlet.isOpen) {
    const view = log.reader.view(stream);
    if (view.kind === "tombstoned") throw streamDeleted(stream);
    if (view.kind === "found") next = Math.max(next, view.first);
    if (view.kind === "missing" || next > view.last) {
      if (!isCaughtUp) outlet.send(caughtUp());
      isCaughtUp = true;
      await commits.next();
      continue;
    }
    for (const record of log.reader.stream(view.number, next, view.last, Infinity)) {
      next++;
      if (!isExpired(record, view.maxAge, now()) && !outlet.send(present(record))) await outlet.drained();
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

  constructor(log: EventLog, outlet: Outlet) {
    const stop = log.onCommit(() => this.#wake?.());
    outlet.onClose(() => {
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

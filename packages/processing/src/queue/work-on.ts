import { CarillonError, UnreadableEvent } from "@carillon/domain";
import type { Logger, StoredEvent, TriesStore, WorkItem } from "@carillon/platform";
import type { JobHandler, Outcome } from "./job-handler.ts";

/** Hears what becomes of work. */
export interface WorkObserver {
  /** An item was done, in so many seconds. */
  done(handler: string, seconds: number): void;
  /** A try failed, and another will follow. */
  failed(handler: string): void;
}

export interface WorkDependencies {
  readonly tries: TriesStore;
  readonly logger: Logger;
  readonly observer: WorkObserver;
  /** How long after each failed try the next one follows; after the try that follows the last of these it is dead. */
  readonly backOffMs?: readonly number[];
}

const defaultBackOffMs = [1_000, 5_000, 30_000, 120_000];
/** While a server is away nothing is tried, and so nothing fails. */
const serverAwayMs = 5_000;
/** Deliveries of which nobody said what became: their worker died, perhaps of this. */
const maxSilentDeliveries = 20;

/**
 * Works on one item and answers it: done, put back, or dead. Does not throw. Where even the answer fails, the item
 * is put back.
 */
export async function workOn(parts: WorkDependencies, handler: JobHandler, item: WorkItem): Promise<void> {
  const about = { handler: handler.name, tenantId: item.tenantId, eventId: item.event.id };
  try {
    await settle(parts, handler, item);
  } catch (error) {
    parts.logger.warn({ ...about, err: error }, "work could not be answered and is put back");
    item.putBack(serverAwayMs);
  }
}

async function settle(parts: WorkDependencies, handler: JobHandler, item: WorkItem): Promise<void> {
  const { tries, logger, observer, backOffMs = defaultBackOffMs } = parts;
  const { event, deliveries } = item;
  const before = deliveries > 1 ? await tries.get(item, event.id) : undefined;
  const failures = before?.failures ?? 0;
  const now = new Date().toISOString();
  const firstFailedAt = before?.firstFailedAt ?? null;

  const putBack = async (afterMs: number, tried: { failures: number; firstFailedAt: string | null }) => {
    // One delivery more or less does not matter, and most are put back only once.
    if (before || deliveries > 1 || tried.failures > 0)
      await tries.put(item, event.id, { ...tried, deliveries });
    item.putBack(afterMs);
  };
  const deadLetter = async (reason: string) => {
    if (before) await tries.forget(item, event.id);
    await item.deadLetter({
      reason,
      tries: failures + 1,
      firstFailedAt: firstFailedAt ?? now,
      lastFailedAt: now,
    });
    logger.error(
      { handler: handler.name, tenantId: item.tenantId, eventId: event.id, stream: event.stream, reason },
      "work is dead: see carillon dead",
    );
  };

  const silent = deliveries - 1 - (before?.deliveries ?? 0);
  if (silent >= maxSilentDeliveries)
    return deadLetter(`${silent} times in a row its worker ended before it was done.`);

  const startedAt = performance.now();
  const outcome = await tryOnce(handler, event);
  switch (outcome.kind) {
    case "done":
      item.done();
      observer.done(handler.name, (performance.now() - startedAt) / 1_000);
      if (before) await tries.forget(item, event.id);
      return;
    case "dead":
      return deadLetter(outcome.reason);
    case "notYet":
      return putBack(outcome.afterMs, { failures, firstFailedAt });
    case "retry": {
      observer.failed(handler.name);
      const afterMs = backOffMs[failures];
      if (afterMs === undefined) return deadLetter(outcome.reason);
      return putBack(afterMs, { failures: failures + 1, firstFailedAt: firstFailedAt ?? now });
    }
  }
}

type Tried = Outcome | { readonly kind: "notYet"; readonly afterMs: number };

async function tryOnce(handler: JobHandler, event: StoredEvent): Promise<Tried> {
  try {
    const earlyByMs = (handler.dueAt(event)?.getTime() ?? 0) - Date.now();
    if (earlyByMs > 0) return { kind: "notYet", afterMs: earlyByMs };
    return await handler.handle(event);
  } catch (error) {
    if (error instanceof UnreadableEvent) return { kind: "dead", reason: error.message };
    if (error instanceof CarillonError && error.code === "unavailable") {
      return { kind: "notYet", afterMs: serverAwayMs };
    }
    return { kind: "retry", reason: error instanceof Error ? error.message : String(error) };
  }
}

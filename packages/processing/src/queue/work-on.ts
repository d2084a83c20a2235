import { CarillonError, UnreadableEvent } from "@carillon/domain";
import type { Logger, StoredEvent, Tries, TriesStore, WorkItem } from "@carillon/platform";
import type { JobHandler, Outcome } from "./job-handler.ts";

/** Is told what becomes of work. */
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
  /** How long after each failed try the next one follows; after the try that follows the last of these it is a dead letter. */
  readonly backOffMs?: readonly number[];
}

const defaultBackOffMs = [1_000, 5_000, 30_000, 120_000];
/** While a server is away nothing is tried, and so nothing fails. */
const serverAwayMs = 5_000;
/** Deliveries that were never answered: their worker died, perhaps of this. */
const maxSilentDeliveries = 20;

/**
 * Works on one item and answers it: done, to be tried again, or moved to the dead letters. Does not throw. Where even the answer fails, the item
 * is tried again.
 */
export async function workOn(
  dependencies: WorkDependencies,
  handler: JobHandler,
  item: WorkItem,
): Promise<void> {
  const context = { handler: handler.name, tenantId: item.tenantId, eventId: item.event.id };
  try {
    await settle(dependencies, handler, item);
  } catch (error) {
    dependencies.logger.warn({ ...context, err: error }, "work could not be answered and is tried again");
    item.retryLater(serverAwayMs);
  }
}

async function settle(dependencies: WorkDependencies, handler: JobHandler, item: WorkItem): Promise<void> {
  const { tries, observer, backOffMs = defaultBackOffMs } = dependencies;
  const { event, deliveries } = item;
  const before = deliveries > 1 ? await tries.get(item, event.id) : undefined;
  const failures = before?.failures ?? 0;
  const firstFailedAt = before?.firstFailedAt ?? null;

  const silent = deliveries - 1 - (before?.deliveries ?? 0);
  if (silent >= maxSilentDeliveries) {
    const reason = `${silent} times in a row its worker ended before it was done.`;
    return deadLetter(dependencies, item, before, reason);
  }

  const startedAt = performance.now();
  const outcome = await tryOnce(handler, event);
  switch (outcome.kind) {
    case "done":
      item.done();
      observer.done(handler.name, (performance.now() - startedAt) / 1_000);
      if (before) await tries.forget(item, event.id);
      return;
    case "dead":
      return deadLetter(dependencies, item, before, outcome.reason);
    case "notYet":
      return retryLater(tries, item, outcome.afterMs, before, { failures, firstFailedAt });
    case "retry": {
      observer.failed(handler.name);
      const afterMs = backOffMs[failures];
      if (afterMs === undefined) return deadLetter(dependencies, item, before, outcome.reason);
      return retryLater(tries, item, afterMs, before, {
        failures: failures + 1,
        firstFailedAt: firstFailedAt ?? new Date().toISOString(),
      });
    }
  }
}

async function retryLater(
  tries: TriesStore,
  item: WorkItem,
  afterMs: number,
  before: Tries | undefined,
  tried: Omit<Tries, "deliveries">,
): Promise<void> {
  const { event, deliveries } = item;
  // One delivery more or less does not matter, and most are tried again only once.
  if (before || deliveries > 1 || tried.failures > 0)
    await tries.put(item, event.id, { ...tried, deliveries });
  item.retryLater(afterMs);
}

async function deadLetter(
  { tries, logger }: WorkDependencies,
  item: WorkItem,
  before: Tries | undefined,
  reason: string,
): Promise<void> {
  const { handler, tenantId, event } = item;
  const now = new Date().toISOString();
  if (before) await tries.forget(item, event.id);
  await item.deadLetter({
    reason,
    tries: (before?.failures ?? 0) + 1,
    firstFailedAt: before?.firstFailedAt ?? now,
    lastFailedAt: now,
  });
  logger.error(
    { handler, tenantId, eventId: event.id, stream: event.stream, reason },
    "work was moved to the dead letters: see carillon dead",
  );
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

import { UnreadableEvent } from "@carillon/domain";
import type { StoredEvent, WorkQueue } from "@carillon/platform";
import type { JobHandler } from "./job-handler.ts";

const atOnce = 500;

/**
 * Makes work of the events that a handler wants, until `signal` aborts. Rejects where the bus or its streams were lost. An
 * event is acknowledged only when its work is on disk, so that a crash sends some twice and leaves out none.
 */
export async function dispatch(queue: WorkQueue, handler: JobHandler, signal: AbortSignal): Promise<void> {
  const feed = await queue.candidates(handler.name, handler.category, handler.eventType);
  signal.addEventListener("abort", feed.close, { once: true });
  try {
    while (!signal.aborted) {
      const candidates = await feed.next(atOnce);
      await Promise.all(
        candidates.map((candidate) =>
          wants(handler, candidate.event) ? candidate.send() : candidate.skip(),
        ),
      );
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", feed.close);
    feed.close();
  }
}

/** An event that cannot be read becomes work all the same: there it becomes a dead letter that people see. */
function wants(handler: JobHandler, event: StoredEvent): boolean {
  try {
    return handler.wants(event);
  } catch (error) {
    if (error instanceof UnreadableEvent) return true;
    throw error;
  }
}

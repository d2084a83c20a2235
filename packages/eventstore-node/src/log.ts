import type { ExpectedRevision } from "./append-rules.ts";
import { LogReader } from "./log-reader.ts";
import { RecentIds } from "./recent-ids.ts";
import { recordHeader, recordId, recordRevision } from "./record.ts";
import { stopping } from "./rpc-errors.ts";
import { type ProposedEvent, Staging, type WriteResult } from "./staging.ts";
import { openStore, type Store } from "./store.ts";

/** How many event ids are remembered for writers that expect any revision. */
const RECENT_IDS = 50_000;

/** A group takes at most this many writes, so that the first of them waits only so long. */
const GROUP_LIMIT = 1024;

/** Past this many waiting bytes, writers are asked to pause. */
const QUEUE_LIMIT_BYTES = 32 * 1024 * 1024;

/** How an append ended. `too-late`: its deadline passed before its turn came, and nothing was written. */
export type AppendResult = WriteResult | { readonly kind: "too-late" };

/** An append to one stream: all of its events or none. */
export interface Append {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly ProposedEvent[];
  /** Milliseconds since 1970. */
  readonly deadline?: number;
}

interface QueuedWrite {
  readonly stage: (staging: Staging) => AppendResult;
  readonly bytes: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/** The engine: one writer with group commit, any number of readers, over one folder. */
export class EventLog {
  readonly reader: LogReader;
  readonly #store: Store;
  readonly #now: () => number;
  readonly #newId: () => string;
  readonly #recentIds = new RecentIds(RECENT_IDS);
  readonly #commitListeners = new Set<() => void>();
  readonly #roomWaiters: (() => void)[] = [];
  #queue: QueuedWrite[] = [];
  #queuedBytes = 0;
  #writing: Promise<void> | undefined;
  #isFinished = false;
  #last: { position: number; streamNumber: number };

  private constructor(store: Store, now: () => number, newId: () => string) {
    this.#store = store;
    this.#now = now;
    this.#newId = newId;
    this.reader = new LogReader(store);
    this.#last = lastWritten(store);
    this.#recallIds();
  }

  /**
   * Opens the log in the folder `dir`; `now` gives milliseconds since 1970, `newId` a random UUID in lower case.
   * @throws when another process has the folder open, or when newer code wrote it.
   */
  static async open(dir: string, now: () => number, newId: () => string): Promise<EventLog> {
    return new EventLog(await openStore(dir), now, newId);
  }

  /** The position of the last event on disk, or 0. Positions count from 1, without gaps. */
  get lastPosition(): number {
    return this.#last.position;
  }

  /** Whether writers should wait for `room` before they send more. */
  get isFull(): boolean {
    return this.#queuedBytes > QUEUE_LIMIT_BYTES;
  }

  /** Resolves after the next commit. */
  room(): Promise<void> {
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  /** Appends events; resolves when the answer holds on disk. */
  append({ stream, expected, events, deadline = Infinity }: Append): Promise<AppendResult> {
    let bytes = 0;
    for (const event of events) bytes += event.data.length + event.metadata.length;
    return this.#enqueue(bytes, (staging) =>
      this.#now() > deadline ? { kind: "too-late" } : staging.append(stream, expected, events),
    );
  }

  /** Hides what `stream` holds so far; new events may continue it. */
  async softDelete(stream: string, expected: ExpectedRevision): Promise<AppendResult> {
    return this.#enqueue(0, (staging) => staging.softDelete(stream, expected));
  }

  /** Ends `stream` for good. */
  async tombstone(stream: string, expected: ExpectedRevision): Promise<AppendResult> {
    return this.#enqueue(0, (staging) => staging.tombstone(stream, expected));
  }

  /** Calls `listener` after every commit; gives the function that stops it. */
  onCommit(listener: () => void): () => void {
    this.#commitListeners.add(listener);
    return () => this.#commitListeners.delete(listener);
  }

  /** Finishes the writes that were accepted and refuses others. */
  async finishWrites(): Promise<void> {
    this.#isFinished = true;
    await this.#writing;
  }

  /** Closes the folder; nothing may read any more. */
  async close(): Promise<void> {
    await this.finishWrites();
    await this.#store.close();
  }

  #enqueue(bytes: number, stage: (staging: Staging) => AppendResult): Promise<AppendResult> {
    if (this.#isFinished) return Promise.reject(stopping());
    return new Promise((resolve, reject) => {
      this.#queue.push({ stage, bytes, resolve, reject });
      this.#queuedBytes += bytes;
      this.#writing ??= this.#write();
    });
  }

  async #write(): Promise<void> {
    // Let the appends that arrive in the same turn join the first group.
    await new Promise(setImmediate);
    while (this.#queue.length > 0) {
      const group = this.#queue.slice(0, GROUP_LIMIT);
      this.#queue = this.#queue.slice(GROUP_LIMIT);
      await this.#writeGroup(group);
    }
    this.#writing = undefined;
  }

  async #writeGroup(group: readonly QueuedWrite[]): Promise<void> {
    const staging = new Staging(this.#store, this.#recentIds, this.#last, this.#now(), this.#newId);
    try {
      const results = group.map((write) => write.stage(staging));
      await staging.commit();
      this.#last = staging.last;
      for (const [index, write] of group.entries()) write.resolve(results[index] as AppendResult);
      for (const listener of this.#commitListeners) listener();
    } catch (error) {
      this.#recallIds();
      const cause = await commitFailure(error);
      for (const write of group) write.reject(cause);
    }
    for (const write of group) this.#queuedBytes -= write.bytes;
    for (const resolve of this.#roomWaiters.splice(0)) resolve();
  }

  /** Fills the memory of recent ids with what is on disk, so that it survives restarts and holds no failed write. */
  #recallIds(): void {
    this.#recentIds.clear();
    const start = Math.max(1, this.#last.position - RECENT_IDS + 1);
    for (const { key, value } of this.#store.events.getRange({ start })) {
      this.#recentIds.add(recordId(value), recordHeader(value).stream, recordRevision(value), key);
    }
  }
}

function lastWritten(store: Store): { position: number; streamNumber: number } {
  const [position = 0] = store.events.getKeys({ reverse: true, limit: 1 });
  const [slot] = store.index.getKeys({ reverse: true, limit: 1 });
  return { position, streamNumber: slot?.[0] ?? 0 };
}

/** lmdb gives the reason of a failed commit as a promise of its own that rejects. */
async function commitFailure(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !("commitError" in error)) return error;
  try {
    return await error.commitError;
  } catch (cause) {
    return new Error(`nothing was written: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

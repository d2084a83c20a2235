import type { ExpectedRevision } from "./append-rules.ts";
import { Damaged, Stopping } from "./errors.ts";
import { LogReader } from "./log-reader.ts";
import { RecentIds } from "./recent-ids.ts";
import { recordHeader, recordId, recordPosition, recordRevision } from "./record.ts";
import { openStore, type Store } from "./store.ts";
import { type ProposedEvent, WriteBatch, type WriteResult } from "./write-batch.ts";

/** How many event ids are remembered for writers that expect any revision. */
const RECENT_IDS = 50_000;

/** A group takes at most this many writes, so that the first of them waits only so long. */
const GROUP_LIMIT = 1024;

/** Past this many waiting bytes, writers are asked to pause. */
const QUEUE_LIMIT_BYTES = 32 * 1024 * 1024;

/** What a waiting write and each of its events take besides their content, roughly. */
const WRITE_OVERHEAD_BYTES = 500;

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
  readonly decide: (batch: WriteBatch) => AppendResult;
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
    const damagedAt = this.#recallIds();
    if (damagedAt !== undefined) throw new Damaged(`the event at position ${damagedAt} is damaged`);
  }

  /**
   * Opens the log in the folder `dir`; `now` gives milliseconds since 1970, `newId` a random UUID in lower case.
   * @throws when another process has the folder open, when other code wrote it, or when it is seen to be damaged:
   * the check is a quick one, of the most recent events.
   */
  static async open(dir: string, now: () => number, newId: () => string): Promise<EventLog> {
    const store = await openStore(dir);
    try {
      return new EventLog(store, now, newId);
    } catch (error) {
      await store.close();
      throw new Error(`the folder ${dir} is damaged: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }

  /** The position of the last event on disk, or 0. Positions count from 1, without gaps. */
  get lastPosition(): number {
    return this.#last.position;
  }

  /** How many writes have not begun to be written. */
  get waitingWrites(): number {
    return this.#queue.length;
  }

  /** The bytes of the writes that are not on disk yet. */
  get waitingBytes(): number {
    return this.#queuedBytes;
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
    let bytes = WRITE_OVERHEAD_BYTES;
    for (const event of events) bytes += event.data.length + event.metadata.length + WRITE_OVERHEAD_BYTES;
    return this.#enqueue(bytes, (batch) =>
      this.#now() > deadline ? { kind: "too-late" } : batch.append(stream, expected, events),
    );
  }

  /** Appends to several streams, in this order, whatever they hold: all of it or nothing. Tombstoned ones are left out. */
  async appendTogether(appends: readonly Pick<Append, "stream" | "events">[]): Promise<void> {
    await this.#enqueue(0, (batch) => {
      for (const { stream, events } of appends) batch.append(stream, "any", events);
      return { kind: "written", slot: undefined, last: -1 };
    });
  }

  /** Hides what `stream` holds so far; new events may continue it. */
  async softDelete(stream: string, expected: ExpectedRevision): Promise<AppendResult> {
    return this.#enqueue(0, (batch) => batch.softDelete(stream, expected));
  }

  /** Ends `stream` for good. */
  async tombstone(stream: string, expected: ExpectedRevision): Promise<AppendResult> {
    return this.#enqueue(0, (batch) => batch.tombstone(stream, expected));
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

  #enqueue(bytes: number, decide: (batch: WriteBatch) => AppendResult): Promise<AppendResult> {
    if (this.#isFinished) return Promise.reject(new Stopping());
    return new Promise((resolve, reject) => {
      this.#queue.push({ decide, bytes, resolve, reject });
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
    const batch = new WriteBatch(this.#store, this.#recentIds, this.#last, this.#now(), this.#newId);
    try {
      const results = group.map((write) => write.decide(batch));
      await batch.commit();
      this.#last = batch.last;
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

  /**
   * Fills the memory of recent ids with what is on disk, so that it survives restarts and holds no failed write. Gives
   * the position of an event that is damaged, if it meets one.
   */
  #recallIds(): number | undefined {
    this.#recentIds.clear();
    let damagedAt: number | undefined;
    const start = Math.max(1, this.#last.position - RECENT_IDS + 1);
    for (const { key, value } of this.#store.events.getRange({ start })) {
      if (value === undefined || recordPosition(value) !== key) damagedAt ??= key;
      else this.#recentIds.add(recordId(value), recordHeader(value).stream, recordRevision(value), key);
    }
    return damagedAt;
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
    const reason = cause instanceof Error ? cause.message : cause;
    // A disk that fills up in the middle of a write is an input/output error to LMDB.
    return new Error(`nothing was written, is the disk full? ${reason}`, { cause });
  }
}

import { setTimeout as delay } from "node:timers/promises";
import { type KV, type KvEntry, NatsError, type QueuedIterator } from "nats";
import { type Bus, watchConnection } from "./bus.ts";
import { keepBucket } from "./reopened-bucket.ts";

/**
 * A JetStream key-value bucket of which every process has a copy in memory, milliseconds behind: read for nothing,
 * written with compare-and-swap. For what is written seldom and forgotten after a time.
 */
export interface MirroredBucket<Value> {
  /** From memory. */
  get(key: string): Value | undefined;
  /**
   * Puts `change` of the newest value in its place, or removes it where that is undefined; gives what it is then. `change`
   * may be called several times. Throws `CarillonError` `unavailable` where NATS does not answer.
   */
  update(key: string, change: (value: Value | undefined) => Value | undefined): Promise<Value | undefined>;
  close(): void;
}

interface Copy<Value> {
  readonly value: Value | undefined;
  readonly revision: number;
  readonly at: number;
}

/** JetStream's code for "wrong last sequence". */
const wrongLastSequence = 10071;
const retryMs = 250;
const sweepMs = 60_000;

/**
 * Opens a bucket, which is made if it is not there, and resolves when the copy has what is in it; also where NATS
 * is away: the copy is empty until it comes.
 *
 * @param what what a client is told cannot be reached, as in "The session store"
 * @param ttlMs for how long a value that is not changed is kept
 */
export async function openMirroredBucket<Value>(
  bus: Bus,
  name: string,
  { what, ttlMs }: { what: string; ttlMs: number },
): Promise<MirroredBucket<Value>> {
  const withBucket = keepBucket<KV>(what, () => bus.jetstream().views.kv(name, { ttl: ttlMs, history: 1 }));
  const copies = new Map<string, Copy<Value>>();
  const closing = new AbortController();

  const copyOf = (entry: KvEntry | null): Copy<Value> => ({
    value: entry?.operation === "PUT" ? (entry.json<Value | null>() ?? undefined) : undefined,
    revision: entry?.revision ?? 0,
    at: Date.now(),
  });
  const keep = (key: string, copy: Copy<Value>) => {
    if (copy.revision >= (copies.get(key)?.revision ?? 0)) copies.set(key, copy);
  };

  /** The bucket says nothing of what it forgets. */
  const sweep = setInterval(() => {
    for (const [key, { at }] of copies) if (Date.now() - at > ttlMs) copies.delete(key);
  }, sweepMs);

  let watched: QueuedIterator<KvEntry> | undefined;
  const watch = async (filled: () => void) => {
    watched = await withBucket((bucket) => bucket.watch({ initializedFn: filled }));
    // A bucket that was made again counts its revisions from one.
    for (const [key, copy] of copies) copies.set(key, { ...copy, revision: 0 });
    for await (const entry of watched) keep(entry.key, copyOf(entry));
  };
  const watchForEver = async (filled: () => void) => {
    while (!closing.signal.aborted) {
      await watch(filled).catch(() => {});
      await delay(retryMs, undefined, { signal: closing.signal }).catch(() => {});
    }
  };
  const unwatch = watchConnection(bus, () => watched?.stop());

  await new Promise<void>((filled) => {
    watchForEver(filled);
    setTimeout(filled, 2_000);
  });

  return {
    get: (key) => copies.get(key)?.value,
    update: (key, change) =>
      withBucket(async (bucket) => {
        for (let copy = copies.get(key); ; copy = copyOf(await bucket.get(key))) {
          const value = change(copy?.value);
          try {
            const revision = await bucket.put(key, JSON.stringify(value ?? null), {
              previousSeq: copy?.revision ?? 0,
            });
            keep(key, { value, revision, at: Date.now() });
            return value;
          } catch (error) {
            if (!(error instanceof NatsError) || error.api_error?.err_code !== wrongLastSequence) throw error;
          }
        }
      }),
    close() {
      closing.abort();
      clearInterval(sweep);
      unwatch();
      watched?.stop();
    },
  };
}

import type { KV, KvEntry, QueuedIterator } from "nats";
import { keepTrying } from "../timing/keep-trying.ts";
import { within } from "../timing/within.ts";
import type { BucketOptions } from "./bucket.ts";
import { type Bus, watchConnection } from "./bus.ts";
import { isWrongLastSequence } from "./jetstream.ts";
import { keepOpen, type WithOpen } from "./keep-open.ts";

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

const retryMs = 250;
const sweepMs = 60_000;
const fillPatienceMs = 2_000;

/**
 * Opens a bucket, which is made if it is not there, and resolves when the copy has what is in it; also where NATS
 * is away: the copy is empty until it comes.
 */
export async function openMirroredBucket<Value>(
  bus: Bus,
  name: string,
  { what, ttlMs }: BucketOptions,
): Promise<MirroredBucket<Value>> {
  const withBucket = keepOpen<KV>(what, () => bus.jetstream().views.kv(name, { ttl: ttlMs, history: 1 }));
  const copies = copiesOf<Value>(ttlMs);
  const closing = new AbortController();
  const sweep = setInterval(copies.forgetOld, sweepMs);
  const filled = mirror(bus, withBucket, copies, closing.signal);
  await within(fillPatienceMs, filled, () => {});

  return {
    get: (key) => copies.get(key)?.value,
    update: (key, change) =>
      withBucket(async (bucket) => {
        for (let copy = copies.get(key); ; copy = copyOf<Value>(await bucket.get(key))) {
          const value = change(copy?.value);
          try {
            const revision = await bucket.put(key, JSON.stringify(value ?? null), {
              previousSeq: copy?.revision ?? 0,
            });
            copies.keep(key, { value, revision, at: Date.now() });
            return value;
          } catch (error) {
            if (!isWrongLastSequence(error)) throw error;
          }
        }
      }),
    close() {
      closing.abort();
      clearInterval(sweep);
    },
  };
}

/** Copies what is in the bucket and what comes into it, until `signal` aborts. Resolves when all that was there is copied. */
function mirror<Value>(
  bus: Bus,
  withBucket: WithOpen<KV>,
  copies: Copies<Value>,
  signal: AbortSignal,
): Promise<void> {
  let watched: QueuedIterator<KvEntry> | undefined;
  const unwatch = watchConnection(bus, () => watched?.stop());
  signal.addEventListener("abort", () => {
    unwatch();
    watched?.stop();
  });
  return new Promise((filled) => {
    const watch = async () => {
      watched = await withBucket((bucket) => bucket.watch({ initializedFn: filled }));
      copies.forgetRevisions();
      for await (const entry of watched) copies.keep(entry.key, copyOf(entry));
    };
    keepTrying(watch, { signal, pauseMs: retryMs });
  });
}

type Copies<Value> = ReturnType<typeof copiesOf<Value>>;

function copiesOf<Value>(ttlMs: number) {
  const copies = new Map<string, Copy<Value>>();
  return {
    get: (key: string) => copies.get(key),
    /** Keeps a copy, unless a newer one is there. */
    keep(key: string, copy: Copy<Value>) {
      if (copy.revision >= (copies.get(key)?.revision ?? 0)) copies.set(key, copy);
    },
    /** A bucket that was made again counts its revisions from one. */
    forgetRevisions() {
      for (const [key, copy] of copies) copies.set(key, { ...copy, revision: 0 });
    },
    /** The bucket says nothing of what it forgets. */
    forgetOld() {
      for (const [key, { at }] of copies) if (Date.now() - at > ttlMs) copies.delete(key);
    },
  };
}

const copyOf = <Value>(entry: KvEntry | null): Copy<Value> => ({
  value: entry?.operation === "PUT" ? (entry.json<Value | null>() ?? undefined) : undefined,
  revision: entry?.revision ?? 0,
  at: Date.now(),
});

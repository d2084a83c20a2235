import type { KV } from "nats";
import type { Bus } from "./bus.ts";
import { isWrongLastSequence, streamManager } from "./jetstream.ts";
import { keepOpen } from "./keep-open.ts";

/** A value and the revision of its entry: what `replace` compares. */
export interface BucketEntry<Value> {
  readonly value: Value;
  readonly revision: number;
}

/**
 * A JetStream key-value bucket of JSON values. Keys are words of letters, digits, `-` and `_`, separated by dots. Every call
 * throws `CarillonError` `unavailable` where NATS does not answer.
 */
export interface Bucket<Value> {
  /** Stores a value under a key that has none, and gives its revision. */
  create(key: string, value: Value): Promise<number>;
  /** Undefined for a key that has no value. */
  get(key: string): Promise<BucketEntry<Value> | undefined>;
  /** Stores a value, whatever is there. */
  put(key: string, value: Value): Promise<void>;
  /** Stores a value in place of `revision` and gives the new one; undefined if that is no longer the newest. */
  replace(key: string, value: Value, revision: number): Promise<number | undefined>;
  delete(key: string): Promise<void>;
  /** Removes every key that `pattern` fits (`*` fits one word) with its history, but `except`. */
  purge(pattern: string, except?: string): Promise<void>;
}

export interface BucketOptions {
  /** What a client is told cannot be reached, as in "The session store". */
  readonly what: string;
  /** For how long a value that is not stored again is kept, in milliseconds. */
  readonly ttlMs: number;
}

const requestTimeoutMs = 5_000;

/** Opens a bucket, which is made when it is first needed. Nobody else may write to it: values are not checked. */
export function openBucket<Value>(bus: Bus, name: string, { what, ttlMs }: BucketOptions): Bucket<Value> {
  const withBucket = keepOpen<KV>(what, () => bus.jetstream().views.kv(name, { ttl: ttlMs, history: 1 }));
  const stream = `KV_${name}`;
  const subjectOf = (key: string) => `$KV.${name}.${key}`;

  return {
    create: (key, value) => withBucket((bucket) => bucket.create(key, JSON.stringify(value))),
    get: (key) =>
      withBucket(async (bucket) => {
        const entry = await bucket.get(key);
        if (entry?.operation !== "PUT") return undefined;
        return { value: entry.json<Value>(), revision: entry.revision };
      }),
    put: (key, value) =>
      withBucket(async (bucket) => {
        await bucket.put(key, JSON.stringify(value));
      }),
    replace: (key, value, revision) =>
      withBucket(async (bucket) => {
        try {
          return await bucket.update(key, JSON.stringify(value), revision);
        } catch (error) {
          if (isWrongLastSequence(error)) return undefined;
          throw error;
        }
      }),
    delete: (key) => withBucket((bucket) => bucket.delete(key)),
    purge: (pattern, except) =>
      withBucket(async () => {
        const { streams } = await streamManager(bus, requestTimeoutMs);
        if (except === undefined) {
          await streams.purge(stream, { filter: subjectOf(pattern) });
          return;
        }
        const { state } = await streams.info(stream, { subjects_filter: subjectOf(pattern) });
        for (const filter of Object.keys(state.subjects ?? {})) {
          if (filter !== subjectOf(except)) await streams.purge(stream, { filter });
        }
      }),
  };
}

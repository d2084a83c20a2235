/** How a group shares its events out, by the real server's rules. */
import type { StrategyName } from "../settings.ts";

/** A consumer that may be given an event. */
export interface Candidate {
  /** Whether it has room for one more. */
  readonly canTake: boolean;
}

/** The consumer to give an event to; `busy`: only one that has no room now may take it; `full`: none has room. */
export type Choice<C> = C | "busy" | "full";

export interface ConsumerStrategy<C extends Candidate> {
  add(consumer: C): void;
  remove(consumer: C): void;
  /** `key` tells what belongs together, for the strategies that heed it. */
  choose(key: () => string): Choice<C>;
}

/** The strategy of this name, without consumers yet. */
export function createStrategy<C extends Candidate>(name: StrategyName): ConsumerStrategy<C> {
  switch (name) {
    case "RoundRobin":
      return new Queue(true);
    case "DispatchToSingle":
      return new Queue(false);
    case "Pinned":
    case "PinnedByCorrelation":
      return new Pinned();
  }
}

/** The first with room takes the event, and stays first unless turns are taken. One without room goes to the end. */
class Queue<C extends Candidate> implements ConsumerStrategy<C> {
  readonly #takesTurns: boolean;
  readonly #consumers: C[] = [];

  constructor(takesTurns: boolean) {
    this.#takesTurns = takesTurns;
  }

  add(consumer: C): void {
    this.#consumers.push(consumer);
  }

  remove(consumer: C): void {
    const at = this.#consumers.indexOf(consumer);
    if (at >= 0) this.#consumers.splice(at, 1);
  }

  choose(): Choice<C> {
    for (let tried = 0; tried < this.#consumers.length; tried++) {
      const first = this.#consumers[0] as C;
      if (this.#takesTurns || !first.canTake) this.#consumers.push(this.#consumers.shift() as C);
      if (first.canTake) return first;
    }
    return "full";
  }
}

const BUCKETS = 1024;

/** Every key falls into a bucket, and every bucket belongs to one consumer as long as that is connected. */
class Pinned<C extends Candidate> implements ConsumerStrategy<C> {
  readonly #owners = new Map<number, C>();
  /** The buckets that each consumer owns. */
  readonly #buckets = new Map<C, Set<number>>();

  add(consumer: C): void {
    const own = new Set<number>();
    this.#buckets.set(consumer, own);
    const fairShare = Math.ceil(this.#owners.size / this.#buckets.size);
    for (const buckets of this.#buckets.values()) {
      for (const bucket of [...buckets].slice(fairShare)) {
        buckets.delete(bucket);
        own.add(bucket);
        this.#owners.set(bucket, consumer);
      }
    }
  }

  remove(consumer: C): void {
    for (const bucket of this.#buckets.get(consumer) ?? []) this.#owners.delete(bucket);
    this.#buckets.delete(consumer);
  }

  choose(key: () => string): Choice<C> {
    if (![...this.#buckets.keys()].some((consumer) => consumer.canTake)) return "full";
    const bucket = hash(key()) % BUCKETS;
    const owner = this.#owners.get(bucket) ?? this.#assign(bucket);
    return owner.canTake ? owner : "busy";
  }

  #assign(bucket: number): C {
    const [first, ...others] = this.#buckets as Iterable<[C, Set<number>]>;
    let [owner, least] = first as [C, Set<number>];
    for (const [consumer, buckets] of others) {
      if (buckets.size < least.size) [owner, least] = [consumer, buckets];
    }
    least.add(bucket);
    this.#owners.set(bucket, owner);
    return owner;
  }
}

/** FNV-1a, 32 bits. http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash(key: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(key)) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

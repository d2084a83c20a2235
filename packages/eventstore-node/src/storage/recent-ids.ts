import type { Slot } from "./append-rules.ts";

interface Entry extends Slot {
  readonly stream: string;
}

/**
 * Which slots the most recently written event ids took. Bounded by generations: at least the last `limit` ids are
 * known, at most twice as many. As on the real server an id has one slot: written to another stream, it is forgotten
 * for the first.
 */
export class RecentIds {
  readonly #limit: number;
  #current = new Map<string, Entry>();
  #previous = new Map<string, Entry>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(id: string, stream: string, revision: number, position: number): void {
    this.#current.set(id, { stream, revision, position });
    if (this.#current.size < this.#limit) return;
    this.#previous = this.#current;
    this.#current = new Map();
  }

  find(id: string, stream: string): Slot | undefined {
    const entry = this.#current.get(id) ?? this.#previous.get(id);
    return entry?.stream === stream ? entry : undefined;
  }

  clear(): void {
    this.#current = new Map();
    this.#previous = new Map();
  }
}

import type { Slot } from "./append-rules.ts";

interface Entry extends Slot {
  readonly stream: string;
}

/** Which slots the most recently written event ids took. Bounded: the oldest ids are forgotten first. */
export class RecentIds {
  readonly #limit: number;
  readonly #entries = new Map<string, Entry>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(id: string, stream: string, revision: number, position: number): void {
    this.#entries.delete(id);
    this.#entries.set(id, { stream, revision, position });
    if (this.#entries.size > this.#limit) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
  }

  find(id: string, stream: string): Slot | undefined {
    const entry = this.#entries.get(id);
    return entry?.stream === stream ? entry : undefined;
  }

  clear(): void {
    this.#entries.clear();
  }
}

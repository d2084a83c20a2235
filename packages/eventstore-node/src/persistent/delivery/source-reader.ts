import { setImmediate as nextTurn } from "node:timers/promises";
import type { Source, SourcePage } from "./source.ts";

/** What reads a source works for. */
export interface SourceListener {
  /** Whether more may be read now. */
  readonly hasRoom: () => boolean;
  readonly take: (page: SourcePage) => void;
  /** The source cannot be read; nothing more comes. */
  readonly fail: () => void;
}

/** Reads a source until it is stopped: a page whenever there is room, and with every commit at its end. */
export class SourceReader {
  readonly #source: Source;
  readonly #batchSize: number;
  readonly #listener: SourceListener;
  #next: number;
  #lastRead: number | undefined;
  #isLive = false;
  #isStopped = false;
  #wake: (() => void) | undefined;

  /** Reads from position `start` on, `batchSize` events at a time, once `run` is called. */
  constructor(source: Source, start: number, batchSize: number, listener: SourceListener) {
    this.#source = source;
    this.#next = start;
    this.#batchSize = batchSize;
    this.#listener = listener;
  }

  /** Whether everything that the source has was read. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** The position of the last event that was read. */
  get lastRead(): number | undefined {
    return this.#lastRead;
  }

  /** Resolves when it was stopped, or has failed. */
  async run(): Promise<void> {
    try {
      while (!this.#isStopped) {
        const hasRoom = this.#listener.hasRoom();
        const page = hasRoom ? this.#source.page(this.#next, this.#batchSize) : undefined;
        if (page === undefined) {
          this.#isLive = hasRoom;
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          continue;
        }
        this.#next = page.next;
        this.#lastRead = page.events.at(-1)?.sourcePosition ?? this.#lastRead;
        this.#listener.take(page);
        await nextTurn();
      }
    } catch {
      this.#listener.fail();
    }
  }

  /** Looks again: there may be more, or room for it. */
  readOn(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  stop(): void {
    this.#isStopped = true;
    this.readOn();
  }
}

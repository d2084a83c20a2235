import { type GroupConfig, LIVE } from "../settings.ts";
import type { GroupCheckpoints } from "./checkpoints.ts";
import type { Message } from "./message.ts";

/** How far a group is done with its source, and what of that is on disk. */
export class GroupProgress {
  readonly #config: GroupConfig;
  readonly #checkpoints: GroupCheckpoints;
  readonly #now: () => number;
  /** Everything before this position was none of the group's when it started. */
  readonly start: number;
  /** Everything that was read and is not done, in the order of the source: the first one holds the checkpoint back. */
  readonly #unfinished = new Set<Message>();
  /** The last position that was looked at. */
  #reached: number;
  #checkpoint: number | undefined;
  #checkpointedAt = -Infinity;
  #isWriting = false;

  constructor(config: GroupConfig, checkpoints: GroupCheckpoints, now: () => number) {
    this.#config = config;
    this.#checkpoints = checkpoints;
    this.#now = now;
    this.#checkpoint = checkpoints.read();
    const { startFrom } = config.settings;
    const first = startFrom === LIVE ? config.liveFrom : startFrom;
    this.start = this.#checkpoint === undefined ? first : this.#checkpoint + 1;
    this.#reached = this.start - 1;
  }

  /** The last position that is on disk as done. */
  get checkpoint(): number | undefined {
    return this.#checkpoint;
  }

  /** The message was read. */
  begin(message: Message): void {
    this.#unfinished.add(message);
  }

  /** The message is done. */
  finish(message: Message): void {
    this.#unfinished.delete(message);
  }

  /** The source was looked at up to `position`. */
  reach(position: number): void {
    this.#reached = position;
  }

  /**
   * Writes how far the group came when that is due: by count always, by time only when the time is looked at. The
   * promise, if any, never rejects.
   */
  writeWhenDue(isTimeCheck: boolean): Promise<void> | undefined {
    if (this.#isWriting) return undefined;
    const { checkPointAfter, checkPointLowerBound, checkPointUpperBound } = this.#config.settings;
    const position = this.#donePosition;
    const done = position - (this.#checkpoint ?? this.start - 1);
    const now = this.#now();
    const isTime = isTimeCheck && checkPointAfter > 0 && now - this.#checkpointedAt >= checkPointAfter;
    if (done <= 0) return undefined;
    if (done < checkPointUpperBound && !(isTime && done >= checkPointLowerBound)) return undefined;
    this.#checkpointedAt = now;
    return this.#write(position);
  }

  /** Everything up to here is done. */
  get #donePosition(): number {
    const [first] = this.#unfinished;
    return first?.sourcePosition === undefined ? this.#reached : first.sourcePosition - 1;
  }

  async #write(position: number): Promise<void> {
    this.#isWriting = true;
    try {
      await this.#checkpoints.write(position);
      this.#checkpoint = position;
    } catch {
      // Another is written when the next is due.
    }
    this.#isWriting = false;
  }
}

import { setImmediate as nextTurn } from "node:timers/promises";
import { LINK_TYPE } from "../storage/links.ts";
import type { EventLog } from "../storage/log.ts";
import { recordHeader, recordMetadata } from "../storage/record.ts";
import { parseObject } from "../storage/stream-metadata.ts";
import type { ProposedEvent } from "../storage/write-batch.ts";
import { checkStreamName } from "../streams/append-requests.ts";
import type { Link, StandardProjection } from "./standard-projections.ts";

/** After so many events without a link the position is written down, so that a start looks at no more than these. */
const CHECKPOINT_INTERVAL = 10_000;

/** How long to wait before links that could not be written are tried again. */
const RETRY_MS = 1000;

const NO_BYTES = new Uint8Array();

/**
 * Keeps the links of one projection. Links are written in the order of the events that cause them, and each carries the
 * position of its cause: the last link on disk says where to go on, so that every event is linked exactly once.
 */
export class ProjectionRunner {
  readonly projection: StandardProjection;
  readonly #log: EventLog;
  readonly #newId: () => string;
  /** Every event up to this position has its link. */
  #position: number;
  /** Up to where a start would find that out. */
  #savedPosition: number;
  #processed = 0;
  #problem = "";
  #run: { readonly stop: () => void; readonly ended: Promise<void> } | undefined;

  constructor(log: EventLog, projection: StandardProjection, newId: () => string) {
    this.#log = log;
    this.projection = projection;
    this.#newId = newId;
    this.#position = this.#findCheckpoint();
    this.#savedPosition = this.#position;
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /** Every event up to this position has its link. */
  get position(): number {
    return this.#position;
  }

  /** How many events were looked at since the node started. */
  get processed(): number {
    return this.#processed;
  }

  /** Why links could not be written at the last attempt; empty when they were. */
  get problem(): string {
    return this.#problem;
  }

  /** Whether the projection was switched on when the node last heard of it. */
  get isSwitchedOn(): boolean {
    const state = this.#log.reader.lastData(this.#stateStream);
    return state !== undefined && parseObject(state).enabled === true;
  }

  /** Switches the projection on or off, for later starts too. */
  async switch(isOn: boolean): Promise<void> {
    const state = this.#event("$ProjectionUpdated", { name: this.projection.name, enabled: isOn });
    await this.#log.append({ stream: this.#stateStream, expected: "any", events: [state] });
    if (isOn) this.start();
    else await this.stop();
  }

  /** Begins to make links where they were left. */
  start(): void {
    if (this.#run !== undefined) return;
    let wake = () => {};
    let isStopping = false;
    const forget = this.#log.onCommit(() => wake());
    const pause = (ms?: number) =>
      new Promise<void>((resolve) => {
        wake = resolve;
        if (isStopping) resolve();
        else if (ms !== undefined) setTimeout(resolve, ms).unref();
      });
    const stop = () => {
      isStopping = true;
      forget();
      wake();
    };
    this.#run = { stop, ended: this.#keepUp(pause, () => isStopping) };
  }

  /** Resolves when nothing is written any more. */
  async stop(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    run?.stop();
    await run?.ended;
  }

  get #stateStream(): string {
    return `$projections-${this.projection.name}`;
  }

  get #checkpointStream(): string {
    return `${this.#stateStream}-checkpoint`;
  }

  async #keepUp(pause: (ms?: number) => Promise<void>, isStopping: () => boolean): Promise<void> {
    while (!isStopping()) {
      if (this.#position >= this.#log.lastPosition) {
        await pause();
        continue;
      }
      try {
        await this.#linkPage();
        this.#problem = "";
      } catch (error) {
        this.#problem = error instanceof Error ? error.message : String(error);
        await pause(RETRY_MS);
      }
      await nextTurn();
    }
  }

  async #linkPage(): Promise<void> {
    const page = this.#log.reader.all(this.#position + 1, this.#log.lastPosition, Infinity);
    const links = page.map((record) => this.projection.linkFor(record)).filter(isPossible);
    const last = this.#position + page.length;
    const appends = links.map((link) => ({ stream: link.stream, events: [this.#linkEvent(link)] }));
    if (links.length === 0 && last - this.#savedPosition >= CHECKPOINT_INTERVAL) {
      const checkpoint = this.#event("$ProjectionCheckpoint", { $c: last, $p: last });
      appends.push({ stream: this.#checkpointStream, events: [checkpoint] });
    }
    if (appends.length > 0) {
      await this.#log.appendTogether(appends);
      this.#savedPosition = last;
    }
    this.#position = last;
    this.#processed += page.length;
  }

  #findCheckpoint(): number {
    const stored = this.#log.reader.lastData(this.#checkpointStream);
    const floor = (stored && positionIn(stored)) ?? 0;
    let next = this.#log.lastPosition;
    while (next > floor) {
      for (const record of this.#log.reader.all(next, floor + 1, Infinity)) {
        const { stream, type } = recordHeader(record);
        const cause =
          type === LINK_TYPE && stream.startsWith(this.projection.prefix)
            ? positionIn(recordMetadata(record))
            : undefined;
        if (cause !== undefined) return cause;
        next--;
      }
    }
    return floor;
  }

  #linkEvent({ target, metadata }: Link): ProposedEvent {
    return { id: this.#newId(), type: LINK_TYPE, isJson: false, metadata, data: Buffer.from(target) };
  }

  #event(type: string, data: object): ProposedEvent {
    return {
      id: this.#newId(),
      type,
      isJson: true,
      metadata: NO_BYTES,
      data: Buffer.from(JSON.stringify(data)),
    };
  }
}

/** Whether there is a link, to a stream that can exist: the name of an event type may be too long. */
function isPossible(link: Link | undefined): link is Link {
  if (link === undefined) return false;
  try {
    checkStreamName(link.stream);
    return true;
  } catch {
    return false;
  }
}

/** The position of the event that caused a link, or of a checkpoint. */
function positionIn(json: Uint8Array): number | undefined {
  const { $c } = parseObject(json);
  return typeof $c === "number" ? $c : undefined;
}

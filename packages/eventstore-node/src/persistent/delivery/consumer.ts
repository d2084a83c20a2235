import type { ServerDuplexStream, StatusObject } from "@grpc/grpc-js";
import { withStructuredIds } from "../../wire/structured-ids.ts";
import { withRetryCount } from "../messages.ts";
import { Rate } from "./rate.ts";
import { Timings } from "./timings.ts";

/** What a consumer says of itself when it connects. */
export interface ConsumerOptions {
  /** How many events it takes before it answers the first. */
  readonly bufferSize: number;
  /** Whether it wants ids as two numbers instead of text. */
  readonly structuredIds: boolean;
  readonly from: string;
  readonly username: string;
  readonly connectionName: string;
}

/** One connected consumer of a group. */
export class Consumer {
  readonly options: ConsumerOptions;
  /** The ids of the events that it has and did not answer. */
  readonly inFlight = new Set<string>();
  readonly timings = new Timings();
  readonly rate: Rate;
  readonly #call: ServerDuplexStream<unknown, Buffer>;

  /** `now` is in milliseconds. */
  constructor(call: ServerDuplexStream<unknown, Buffer>, options: ConsumerOptions, now: number) {
    this.#call = call;
    this.options = options;
    this.rate = new Rate(now);
  }

  /** Whether it asked for more than it has, and reads what it is sent. */
  get canTake(): boolean {
    return this.inFlight.size < this.options.bufferSize && this.#isOpen && !this.#call.writableNeedDrain;
  }

  /** Calls `listener` whenever it has read what held it back. */
  onDrain(listener: () => void): void {
    this.#call.on("drain", listener);
  }

  /** Sends the event in `message`, a `ReadResp`, to be answered under `id`. */
  give(id: string, message: Buffer, retries: number): void {
    this.inFlight.add(id);
    this.rate.total++;
    const formed = this.options.structuredIds ? withStructuredIds(message) : message;
    this.#call.write(withRetryCount(formed, retries));
  }

  drop(error: StatusObject): void {
    if (this.#isOpen) this.#call.emit("error", error);
  }

  get #isOpen(): boolean {
    return !this.#call.cancelled && this.#call.writable;
  }
}

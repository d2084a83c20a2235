import type { Consumer } from "./consumer.ts";
import type { Message } from "./message.ts";

/** A message that a consumer has and did not answer. */
interface Outstanding {
  readonly message: Message;
  readonly consumer: Consumer;
  readonly sentAt: number;
}

/** The messages of a group that consumers have and did not answer, by event id: answers name events by id. */
export class OutstandingMessages {
  readonly #now: () => number;
  readonly #measuresTimings: boolean;
  /** In the order in which they were sent, so that the first is the first to run out of time. */
  readonly #byId = new Map<string, Outstanding>();

  /** `now` gives milliseconds; `measuresTimings`: consumers keep how long each message took. */
  constructor(now: () => number, measuresTimings: boolean) {
    this.#now = now;
    this.#measuresTimings = measuresTimings;
  }

  get count(): number {
    return this.#byId.size;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** The time that `consumer` has for the message begins. */
  add(message: Message, consumer: Consumer): void {
    this.#byId.set(message.id, { message, consumer, sentAt: this.#now() });
  }

  /** Ends the time that a consumer has for the event; gives the message when it was out. */
  takeBack(id: string): Message | undefined {
    const outstanding = this.#byId.get(id);
    if (outstanding === undefined) return undefined;
    const { message, consumer, sentAt } = outstanding;
    this.#byId.delete(id);
    consumer.inFlight.delete(id);
    if (this.#measuresTimings) consumer.timings.add(this.#now() - sentAt);
    return message;
  }

  /** Takes back what was sent at least `timeout` milliseconds ago. */
  takeBackOverdue(timeout: number): Message[] {
    const overdue = this.#now() - timeout;
    const late: Message[] = [];
    for (const { message, sentAt } of this.#byId.values()) {
      if (sentAt > overdue) break;
      late.push(message);
    }
    for (const { id } of late) this.takeBack(id);
    return late;
  }
}

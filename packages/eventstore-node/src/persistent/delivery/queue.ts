import type { Message } from "./message.ts";

/** What became of a message that was offered; `busy`: another may be sent; `full`: none may. */
export type Offer = "sent" | "busy" | "full";

/** The messages that are to be sent, in order. Those that are sent again go before those that wait for the first time. */
export class MessageQueue {
  #waiting: Message[] = [];
  #toRetry: Message[] = [];

  /** How many wait to be sent for the first time. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** How many wait to be sent again. */
  get toRetry(): number {
    return this.#toRetry.length;
  }

  /** Puts the message behind all that wait. */
  add(message: Message): void {
    this.#waiting.push(message);
  }

  /** Puts the message, which counts as tried once more, behind those that stand before it in the source. */
  retryLater(message: Message): void {
    message.retries++;
    const { sourcePosition } = message;
    const at =
      sourcePosition === undefined
        ? this.#toRetry.length
        : this.#toRetry.findLastIndex(
            (other) => other.sourcePosition !== undefined && other.sourcePosition < sourcePosition,
          ) + 1;
    this.#toRetry.splice(at, 0, message);
  }

  /** Puts the message, which was parked, behind all that are sent again. */
  replay(message: Message): void {
    this.#toRetry.push(message);
  }

  /** Offers the messages in order, as long as anything `canTake` them. */
  send(canTake: () => boolean, offer: (message: Message) => Offer): void {
    this.#toRetry = unsent(this.#toRetry, canTake, offer);
    this.#waiting = unsent(this.#waiting, canTake, offer);
  }
}

/** Offers what is in `queue`; gives what is left of it. */
function unsent(queue: Message[], canTake: () => boolean, offer: (message: Message) => Offer): Message[] {
  if (queue.length === 0 || !canTake()) return queue;
  const left: Message[] = [];
  for (const [index, message] of queue.entries()) {
    const outcome = offer(message);
    if (outcome === "busy") left.push(message);
    if (outcome === "full") return left.concat(queue.slice(index));
  }
  return left;
}

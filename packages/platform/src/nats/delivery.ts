import { type Msg, nanos } from "nats";

/** What JetStream says of a message that a consumer was sent. */
export interface DeliveryInfo {
  /** How often it was delivered, this time counted. */
  readonly deliveries: number;
  /** Its sequence in the stream. */
  readonly streamSequence: number;
  /** Its number among what the consumer was sent, from 1. */
  readonly consumerSequence: number;
}

/**
 * Reads the subject under which a delivery is answered:
 * `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<deliveries>.<stream sequence>.<consumer sequence>.<time>.<pending>`,
 * with more behind it in time to come (nats-server ADR-15). NATS's own client reads it only for what it pulled itself.
 */
export function deliveryInfo({ reply = "" }: Msg): DeliveryInfo {
  const tokens = reply.split(".");
  const [deliveries, streamSequence, consumerSequence] = tokens.slice(tokens.length < 11 ? 4 : 6).map(Number);
  if (tokens[1] !== "ACK" || deliveries === undefined || streamSequence === undefined || !consumerSequence) {
    throw new Error(`"${reply}" is not where a delivery is answered`);
  }
  return { deliveries, streamSequence, consumerSequence };
}

/** Says that it is done with. */
export const acknowledge = (message: Msg): void => {
  message.respond(acknowledgement);
};

/** Gives it back to be delivered again: at once, or after so many milliseconds. */
export const retryLater = (message: Msg, afterMs = 0): void => {
  message.respond(encode(afterMs > 0 ? `-NAK {"delay":${nanos(Math.ceil(afterMs))}}` : "-NAK"));
};

/** Says that it is still being worked on: its time to be answered begins again. */
export const keepWorking = (message: Msg): void => {
  message.respond(workInProgress);
};

const encoder = new TextEncoder();
const encode = (word: string) => encoder.encode(word);
const acknowledgement = encode("+ACK");
const workInProgress = encode("+WPI");

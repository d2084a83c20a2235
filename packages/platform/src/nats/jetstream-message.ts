import {
  type ConsumerConfig,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  type MsgHdrs,
  nanos,
} from "nats";
import type { Bus } from "./bus.ts";
import { isWrongLastSequence } from "./jetstream.ts";

const requestTimeoutMs = 2_000;
const fetchMs = 2_000;
const fetchMessages = 500;

/** A connection, and what publishes on it and asks the broker about streams. */
export interface JetStream {
  readonly bus: Bus;
  readonly js: JetStreamClient;
  readonly manager: JetStreamManager;
}

/** A message as a stream has it. */
export interface StoredMessage {
  readonly sequence: number;
  readonly at: Date;
  readonly headers: MsgHdrs;
  readonly data: Uint8Array;
}

/**
 * Publishes a message if `last` is the sequence of the last one on its subject, 0 being none. Gives its own sequence,
 * or undefined where another message came first.
 */
export async function publishAfter(
  js: JetStreamClient,
  subject: string,
  last: number,
  data: Uint8Array,
  headers?: MsgHdrs,
): Promise<number | undefined> {
  try {
    const expect = { lastSubjectSequence: last };
    return (await js.publish(subject, data, headers ? { expect, headers } : { expect })).seq;
  } catch (error) {
    if (isWrongLastSequence(error)) return undefined;
    throw error;
  }
}

/** The last message on a subject. Asks the stream directly: it has to allow that. */
export const lastMessage = (bus: Bus, stream: string, subject: string) =>
  directly(bus, stream, { last_by_subj: subject });

/** The first message on a subject whose sequence is `from` or more. */
export const nextMessage = (bus: Bus, stream: string, subject: string, from: number) =>
  directly(bus, stream, { next_by_subj: subject, seq: from });

/** What is in a stream now, as a consumer of this kind sees it; not certainly all of it where the connection breaks. */
export async function* messagesOf(
  { js, manager }: Pick<JetStream, "js" | "manager">,
  stream: string,
  config: Pick<ConsumerConfig, "deliver_policy"> & Partial<ConsumerConfig>,
): AsyncGenerator<JsMsg> {
  const info = await manager.consumers.add(stream, {
    ...config,
    mem_storage: true,
    inactive_threshold: nanos(60_000),
  });
  const consumer = js.consumers.getPullConsumerFor(info);
  for (let pending = info.num_pending; pending > 0; ) {
    const wanted = { max_messages: Math.min(pending, fetchMessages), expires: fetchMs };
    // Where nothing comes, what was there is gone.
    pending = 0;
    for await (const message of await consumer.fetch(wanted)) {
      yield message;
      pending = message.info.pending;
    }
  }
  await manager.consumers.delete(stream, info.name);
}

/** Direct get of NATS ADR-31, which the client library offers for its buckets only. */
async function directly(bus: Bus, stream: string, query: object): Promise<StoredMessage | undefined> {
  const answer = await bus.request(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify(query), {
    timeout: requestTimeoutMs,
  });
  const { headers, data } = answer;
  if (headers?.code === 404) return undefined;
  if (headers?.code !== 0) throw new Error(`JetStream answers ${headers?.code}`);
  return {
    sequence: Number(headers.get("Nats-Sequence")),
    at: new Date(headers.get("Nats-Time-Stamp")),
    headers,
    data,
  };
}

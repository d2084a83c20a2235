import type { TenantId } from "@carillon/domain";
import type { StoredMsg } from "nats";
import { type ChainedEvent, decodeEnvelope, encodeEnvelope } from "../event-bus/event-envelope.ts";
import type { Bus } from "../nats/bus.ts";
import {
  deadStream,
  ensureWorkStreams,
  messageFrom,
  publishWork,
  type QueueKey,
  queueKeyOf,
  type WorkKind,
  workSubject,
} from "./work-streams.ts";

/** Why work will not be done. Times are ISO 8601. */
export interface Failure {
  /** In words, without anything personal. */
  readonly reason: string;
  /** How often it was tried. */
  readonly tries: number;
  readonly firstFailedAt: string;
  readonly lastFailedAt: string;
}

/** Work that could not be done. */
export interface DeadLetter extends QueueKey, Failure {
  readonly id: number;
  readonly event: ChainedEvent;
}

/** A dead letter that somebody gave up, under an id of its own. */
export interface DiscardedLetter extends DeadLetter {
  readonly discardedBy: string;
  readonly discardedAt: string;
}

/** Which letters: every one where nothing is said. */
export interface DeadFilter {
  readonly handler?: string | undefined;
  readonly tenantId?: TenantId | undefined;
}

/** What an operator does with work that could not be done. */
export interface DeadLetters {
  /** The oldest first. */
  list(filter?: DeadFilter): AsyncIterable<DeadLetter>;
  /** What was given up, the oldest first. */
  discarded(filter?: DeadFilter): AsyncIterable<DiscardedLetter>;
  /** Undefined if there is none of this id any more. */
  find(id: number): Promise<DeadLetter | undefined>;
  /** Makes it work again, with no try counted. A crash in the middle leaves both, and it is done twice. */
  replay(letter: DeadLetter): Promise<void>;
  /** Gives it up and writes down who did. */
  discard(letter: DeadLetter, by: string, at: Date): Promise<void>;
  /** How many there are, by handler. */
  count(): Promise<ReadonlyMap<string, number>>;
}

/** Opens the dead letters; the streams are made if they are not there. */
export async function openDeadLetters(bus: Bus): Promise<DeadLetters> {
  const manager = await ensureWorkStreams(bus);

  async function* lettersOf<Letter>(
    kind: WorkKind,
    { handler, tenantId }: DeadFilter,
    parse: (message: StoredMsg) => Letter,
  ) {
    const subject = workSubject(kind, { ...(handler && { handler }), ...(tenantId && { tenantId }) });
    for (let seq = 1; ; seq++) {
      const message = await messageFrom(manager, deadStream, seq, subject);
      if (!message) return;
      yield parse(message);
      seq = message.seq;
    }
  }

  return {
    list: (filter = {}) => lettersOf("dead", filter, letterOf),
    discarded: (filter = {}) =>
      lettersOf("discarded", filter, (message) => {
        const { discardedBy, discardedAt } = message.json<DiscardedLetter>();
        return { ...letterOf(message), discardedBy, discardedAt };
      }),
    async find(id) {
      const message = await messageFrom(manager, deadStream, id, workSubject("dead"));
      return message?.seq === id ? letterOf(message) : undefined;
    },
    async replay(letter) {
      // Not the id that it was sent under first: it would be taken for a duplicate.
      const messageId = `${letter.event.id}.${letter.handler}.replay-${letter.id}`;
      await publishWork(bus, workSubject("work", letter), encodeEnvelope(letter.event), messageId);
      await manager.streams.deleteMessage(deadStream, letter.id);
    },
    async discard(letter, by, at) {
      const data = encodeLetter(letter, encodeEnvelope(letter.event), {
        discardedBy: by,
        discardedAt: at.toISOString(),
      });
      await publishWork(bus, workSubject("discarded", letter), data, `discarded-${letter.id}`);
      await manager.streams.deleteMessage(deadStream, letter.id);
    },
    async count() {
      const { state } = await manager.streams.info(deadStream, { subjects_filter: workSubject("dead") });
      const counts = new Map<string, number>();
      for (const [subject, count] of Object.entries(state.subjects ?? {})) {
        const { handler } = queueKeyOf(subject);
        counts.set(handler, (counts.get(handler) ?? 0) + count);
      }
      return counts;
    },
  };
}

/**
 * Writes a dead letter; resolves when it is on disk.
 *
 * @param workId names the delivery's message: work that is replayed and dies again is another letter
 */
export const deadLetterWork = (
  bus: Bus,
  queue: QueueKey,
  envelope: Uint8Array,
  workId: string,
  failure: Failure,
) => publishWork(bus, workSubject("dead", queue), encodeLetter(failure, envelope), workId);

function letterOf(message: StoredMsg): DeadLetter {
  const { reason, tries, firstFailedAt, lastFailedAt, event } = message.json<Failure & { event: unknown }>();
  return {
    id: message.seq,
    ...queueKeyOf(message.subject),
    reason,
    tries,
    firstFailedAt,
    lastFailedAt,
    event: decodeEnvelope(encoder.encode(JSON.stringify(event))),
  };
}

const encodeLetter = (
  { reason, tries, firstFailedAt, lastFailedAt }: Failure,
  envelope: Uint8Array,
  more: Partial<DiscardedLetter> = {},
) => {
  const event = JSON.parse(new TextDecoder().decode(envelope));
  return encoder.encode(JSON.stringify({ reason, tries, firstFailedAt, lastFailedAt, ...more, event }));
};

const encoder = new TextEncoder();

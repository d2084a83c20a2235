import { setImmediate as nextTurn } from "node:timers/promises";
import type { StatusObject } from "@grpc/grpc-js";
import { resolveLink } from "../../storage/links.ts";
import type { EventLog } from "../../storage/log.ts";
import { recordId, recordPosition } from "../../storage/record.ts";
import { groupDropped, maximumSubscribersReached } from "../errors.ts";
import { pinningKey } from "../messages.ts";
import { type GroupConfig, type GroupSettings, groupKey, LIVE } from "../settings.ts";
import { GroupCheckpoints } from "./checkpoints.ts";
import type { Consumer } from "./consumer.ts";
import { ParkedMessages } from "./parking.ts";
import { Rate } from "./rate.ts";
import { openSource, type Source } from "./source.ts";
import { type ConsumerStrategy, createStrategy } from "./strategies.ts";

/** What a consumer wants to become of an event that it could not handle. */
export type NackAction = "park" | "retry" | "skip";

/** An event on its way. Its bytes stay in the log until it is sent, so that waiting costs next to nothing. */
interface Message {
  readonly id: string;
  /** Where its record is in the log. */
  readonly position: number;
  /** Where it stands in the source; undefined for one that was parked, which no checkpoint waits for. */
  readonly place: number | undefined;
  retries: number;
  pinningKey: string | undefined;
}

/** A message that a consumer has and did not answer. */
interface Outstanding {
  readonly message: Message;
  readonly consumer: Consumer;
  readonly sentAt: number;
}

/** How many events are read at a time when the settings say 0, and at most; as on the real server. */
const DEFAULT_BATCH = 20;
const MAX_BATCH = 100;

/** What a group's figures are made of. */
export interface GroupFigures {
  readonly status: string;
  readonly rate: Rate;
  readonly consumers: readonly Consumer[];
  readonly lastCheckpoint: number | undefined;
  readonly lastKnown: number | undefined;
  readonly waiting: number;
  readonly toRetry: number;
  readonly outstanding: number;
  readonly parked: number;
}

/**
 * One subscription group: reads its source at its own pace, hands events out to its consumers, and remembers how far
 * all of them are done. It reads on only while few events wait, so that consumers who answer nothing cost no memory.
 */
export class SubscriptionGroup {
  readonly config: GroupConfig;
  readonly #log: EventLog;
  readonly #now: () => number;
  readonly #source: Source;
  readonly #strategy: ConsumerStrategy<Consumer>;
  readonly #checkpoints: GroupCheckpoints;
  readonly #parked: ParkedMessages;
  readonly #consumers = new Set<Consumer>();
  readonly #rate: Rate;
  readonly #stopListening: () => void;

  /** Read and not sent yet, in order. */
  #waiting: Message[] = [];
  /** To be sent again, before those that wait. */
  #toRetry: Message[] = [];
  /** By event id; in the order in which they were sent, so that the first is the first to run out of time. */
  readonly #outstanding = new Map<string, Outstanding>();
  /** Everything that was read and is not done, in the order of the source: the first one holds the checkpoint back. */
  readonly #unfinished = new Set<Message>();

  /** Everything before this place was none of the group's when it started. */
  readonly #start: number;
  #next: number;
  /** The last place that was looked at. */
  #reached: number;
  /** The place of the last event that was read. */
  #lastRead: number | undefined;
  #isLive = false;
  #wake: (() => void) | undefined;

  #checkpoint: number | undefined;
  #checkpointedAt = -Infinity;
  #isWritingCheckpoint = false;

  /** What is being written; none of them rejects. */
  readonly #writes = new Set<Promise<void>>();
  #replay: { next: number; readonly end: number } | undefined;
  #isReplaying = false;
  #isStopped = false;

  constructor(config: GroupConfig, log: EventLog, now: () => number, newId: () => string) {
    const key = groupKey(config.source, config.group);
    this.config = config;
    this.#log = log;
    this.#now = now;
    this.#source = openSource(log, config, now);
    this.#strategy = createStrategy(config.settings.consumerStrategyName);
    this.#checkpoints = new GroupCheckpoints(log, config.source, key, newId);
    this.#parked = new ParkedMessages(log, key, now, newId);
    this.#rate = new Rate(now());
    this.#checkpoint = this.#checkpoints.read();
    const { startFrom } = config.settings;
    const first = startFrom === LIVE ? config.liveFrom : startFrom;
    this.#start = this.#checkpoint === undefined ? first : this.#checkpoint + 1;
    this.#next = this.#start;
    this.#reached = this.#start - 1;
    this.#stopListening = log.onCommit(() => this.#readOn());
    void this.#read();
  }

  /** Checks that one more may connect. @throws a status when not. */
  admit(): void {
    const { maxSubscriberCount } = this.#settings;
    if (maxSubscriberCount > 0 && this.#consumers.size >= maxSubscriberCount) {
      throw maximumSubscribersReached(this.config.source, this.config.group);
    }
    if (this.#isStopped) throw this.#dropped();
  }

  /** Gives `consumer`, which was admitted, events from now on. */
  connect(consumer: Consumer): void {
    this.#consumers.add(consumer);
    this.#strategy.add(consumer);
    consumer.onDrain(() => this.#push());
    this.#push();
  }

  /** Takes what `consumer` did not answer back, to be sent again. */
  disconnect(consumer: Consumer): void {
    if (!this.#consumers.delete(consumer)) return;
    this.#strategy.remove(consumer);
    for (const id of consumer.inFlight) {
      const message = this.#takeBack(id);
      if (message !== undefined) this.#retryLater(message);
    }
    this.#push();
  }

  /** The events with these ids are done. */
  ack(ids: readonly string[]): void {
    for (const id of ids) this.#finish(this.#takeBack(id));
    this.#goOn();
  }

  /** The events with these ids failed. */
  nack(ids: readonly string[], action: NackAction, reason: string): void {
    for (const id of ids) {
      const message = this.#takeBack(id);
      if (message === undefined) continue;
      if (action === "skip") this.#finish(message);
      else if (action === "park")
        this.#write(this.#park(message, `Client explicitly NAK'ed message.\n${reason}`));
      else this.#retryOrPark(message);
    }
    this.#goOn();
  }

  /** Sends the parked messages again, up to number `stopAt`, not included. */
  replayParked(stopAt: number): void {
    if (this.#replay !== undefined) return;
    const { first, last } = this.#parked.range;
    const end = Math.min(stopAt, last + 1);
    if (first >= end) return;
    this.#replay = { next: first, end };
    this.#push();
  }

  /** Does what is due by time: events that take too long are sent again, and how far the group came is written. */
  tick(): void {
    const { messageTimeout } = this.#settings;
    const overdue = this.#now() - messageTimeout;
    let isLate = false;
    for (const [id, { sentAt }] of messageTimeout > 0 ? this.#outstanding : []) {
      if (sentAt > overdue) break;
      const message = this.#takeBack(id);
      if (message !== undefined) this.#retryOrPark(message);
      isLate = true;
    }
    if (isLate) this.#push();
    this.#markCheckpoint(true);
  }

  /** Ends it all with an error for every consumer. What is on disk stays. */
  stop(): void {
    this.#isStopped = true;
    this.#stopListening();
    this.#readOn();
    for (const consumer of this.#consumers) consumer.drop(this.#dropped());
    this.#consumers.clear();
  }

  /** Stops, and removes what it kept. */
  async delete(): Promise<void> {
    this.stop();
    await Promise.all(this.#writes);
    await Promise.all([this.#checkpoints.delete(), this.#parked.delete()]);
  }

  /** Where the source ends now. */
  get end(): number {
    return this.#source.end;
  }

  get figures(): GroupFigures {
    const status = this.#isLive ? "Live" : "Behind";
    return {
      status: this.#replay === undefined ? status : `ReplayingParkedMessages, ${status}`,
      rate: this.#rate,
      consumers: [...this.#consumers],
      lastCheckpoint: this.#checkpoint,
      lastKnown: this.#source.lastWanted ?? this.#lastRead,
      waiting: this.#waiting.length,
      toRetry: this.#toRetry.length,
      outstanding: this.#outstanding.size,
      parked: this.#parked.count,
    };
  }

  get #settings(): GroupSettings {
    return this.config.settings;
  }

  get #batchSize(): number {
    return Math.min(this.#settings.readBatchSize || DEFAULT_BATCH, MAX_BATCH);
  }

  get #hasRoom(): boolean {
    const buffered = this.#waiting.length + this.#toRetry.length;
    return this.#settings.historyBufferSize - buffered > this.#settings.readBatchSize;
  }

  /** Reads the source until the group stops: a batch whenever there is room, and with every commit at its end. */
  async #read(): Promise<void> {
    try {
      while (!this.#isStopped) {
        const page = this.#hasRoom ? this.#source.page(this.#next, this.#batchSize) : undefined;
        if (page === undefined) {
          this.#isLive = this.#hasRoom;
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          continue;
        }
        for (const { place, record } of page.events) {
          const message = newMessage(record, place);
          this.#unfinished.add(message);
          this.#waiting.push(message);
          this.#lastRead = place;
        }
        this.#next = page.next;
        this.#reached = page.reached ?? this.#reached;
        this.#goOn();
        await nextTurn();
      }
    } catch {
      this.#fail();
    }
  }

  #readOn(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #goOn(): void {
    this.#markCheckpoint(false);
    this.#push();
  }

  /** Sends what can be sent; what is sent again goes first. */
  #push(): void {
    if (this.#isStopped) return;
    try {
      this.#toRetry = this.#send(this.#toRetry);
      this.#waiting = this.#send(this.#waiting);
      this.#write(this.#readParked());
      if (this.#hasRoom) this.#readOn();
    } catch {
      this.#fail();
    }
  }

  /** The log cannot be read. As on the real server the group is of no use any more, and says so to who connects. */
  #fail(): void {
    this.stop();
  }

  /** Sends from `queue` while anybody has room; gives what is left of it. */
  #send(queue: Message[]): Message[] {
    if (queue.length === 0 || ![...this.#consumers].some((consumer) => consumer.canTake)) return queue;
    const left: Message[] = [];
    for (const [index, message] of queue.entries()) {
      const outcome = this.#offer(message);
      if (outcome === "busy") left.push(message);
      if (outcome === "full") return left.concat(queue.slice(index));
    }
    return left;
  }

  #offer(message: Message): "sent" | "busy" | "full" {
    // Answers name events by id. One that is out under the same id has to be answered first.
    if (this.#outstanding.has(message.id)) return "busy";
    const consumer = this.#strategy.choose(() => this.#pinningKey(message));
    if (typeof consumer === "string") return consumer;
    this.#outstanding.set(message.id, { message, consumer, sentAt: this.#now() });
    this.#rate.total++;
    consumer.give(message.id, this.#resolved(message), message.retries);
    return "sent";
  }

  #pinningKey(message: Message): string {
    message.pinningKey ??= pinningKey(
      this.#settings.consumerStrategyName,
      this.#log.reader.at(message.position),
      this.#resolved(message),
    );
    return message.pinningKey;
  }

  #resolved(message: Message): Buffer {
    const record = this.#log.reader.at(message.position);
    return this.#resolvesLink(message) ? resolveLink(this.#log.reader, record, this.#now()) : record;
  }

  /** A parked message is a link, whatever the group wants of other links. */
  #resolvesLink(message: Message): boolean {
    return this.#settings.resolveLinkTos || message.place === undefined;
  }

  /** Ends the time that a consumer has for the event; gives the message when it was out. */
  #takeBack(id: string): Message | undefined {
    const outstanding = this.#outstanding.get(id);
    if (outstanding === undefined) return undefined;
    const { message, consumer, sentAt } = outstanding;
    this.#outstanding.delete(id);
    consumer.inFlight.delete(id);
    if (this.#settings.extraStatistics) consumer.timings.add(this.#now() - sentAt);
    return message;
  }

  #finish(message: Message | undefined): void {
    if (message !== undefined) this.#unfinished.delete(message);
  }

  #retryOrPark(message: Message): void {
    const { maxRetryCount } = this.#settings;
    if (message.retries < maxRetryCount) this.#retryLater(message);
    else this.#write(this.#park(message, `Reached retry count of ${maxRetryCount}`));
  }

  /** Puts the message behind those that stand before it in the source. */
  #retryLater(message: Message): void {
    message.retries++;
    const { place } = message;
    const at =
      place === undefined
        ? this.#toRetry.length
        : this.#toRetry.findLastIndex((other) => other.place !== undefined && other.place < place) + 1;
    this.#toRetry.splice(at, 0, message);
  }

  /** The message stays unfinished until its link is on disk: no checkpoint passes it before. */
  async #park(message: Message, reason: string): Promise<void> {
    try {
      const record = this.#log.reader.at(message.position);
      await this.#parked.park(record, this.#resolvesLink(message), reason);
      this.#finish(message);
    } catch {
      this.#retryLater(message);
    }
    this.#goOn();
  }

  /** Reads parked messages while few wait to be sent again, and forgets the links to those that it read. */
  async #readParked(): Promise<void> {
    if (this.#replay === undefined || this.#isReplaying || this.#toRetry.length >= this.#batchSize) return;
    const { next, end } = this.#replay;
    const records = this.#parked.read(next, end, this.#batchSize);
    const after = next + records.length;
    for (const record of records) this.#toRetry.push(newMessage(record, undefined));
    this.#isReplaying = true;
    try {
      await this.#parked.forgetBefore(after);
    } catch {
      // Then a later replay sends them once more, which is allowed.
    }
    this.#isReplaying = false;
    this.#replay = records.length === 0 || after >= end ? undefined : { next: after, end };
    this.#push();
  }

  /** Everything up to here is done. */
  get #donePlace(): number {
    const [first] = this.#unfinished;
    return first?.place === undefined ? this.#reached : first.place - 1;
  }

  /** Writes how far the group came when that is due: by count always, by time only when the time is looked at. */
  #markCheckpoint(isTimeCheck: boolean): void {
    if (this.#isWritingCheckpoint || this.#isStopped) return;
    const { checkPointAfter, checkPointLowerBound, checkPointUpperBound } = this.#settings;
    const place = this.#donePlace;
    const done = place - (this.#checkpoint ?? this.#start - 1);
    const now = this.#now();
    const isTime = isTimeCheck && checkPointAfter > 0 && now - this.#checkpointedAt >= checkPointAfter;
    if (done <= 0) return;
    if (done < checkPointUpperBound && !(isTime && done >= checkPointLowerBound)) return;
    this.#checkpointedAt = now;
    this.#write(this.#writeCheckpoint(place));
  }

  async #writeCheckpoint(place: number): Promise<void> {
    this.#isWritingCheckpoint = true;
    try {
      await this.#checkpoints.write(place);
      this.#checkpoint = place;
    } catch {
      // Another is written when the next is due.
    }
    this.#isWritingCheckpoint = false;
  }

  #write(write: Promise<void>): void {
    this.#writes.add(write);
    void write.then(() => this.#writes.delete(write));
  }

  #dropped(): StatusObject {
    return groupDropped(this.config.source, this.config.group);
  }
}

function newMessage(record: Buffer, place: number | undefined): Message {
  return {
    id: recordId(record),
    position: recordPosition(record),
    place,
    retries: 0,
    pinningKey: undefined,
  };
}

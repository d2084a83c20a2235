import type { StatusObject } from "@grpc/grpc-js";
import type { EventLog } from "../../storage/log.ts";
import { groupDropped, maximumSubscribersReached } from "../errors.ts";
import { type GroupConfig, type GroupSettings, groupKey } from "../settings.ts";
import { GroupCheckpoints } from "./checkpoints.ts";
import type { Consumer } from "./consumer.ts";
import { type Message, MessageReader, newMessage } from "./message.ts";
import { OutstandingMessages } from "./outstanding.ts";
import { ParkedMessages } from "./parking.ts";
import { GroupProgress } from "./progress.ts";
import { MessageQueue, type Offer } from "./queue.ts";
import { Rate } from "./rate.ts";
import { ParkedReplay } from "./replay.ts";
import { openSource, type Source, type SourcePage } from "./source.ts";
import { SourceReader } from "./source-reader.ts";
import { type ConsumerStrategy, createStrategy } from "./strategies.ts";

/** What a consumer wants to become of an event that it could not handle. */
export type NackAction = "park" | "retry" | "skip";

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
 * all of them are done. It reads on only while few events wait, so that consumers which answer nothing cost no memory.
 */
export class SubscriptionGroup {
  readonly config: GroupConfig;
  readonly #source: Source;
  readonly #reader: SourceReader;
  readonly #messages: MessageReader;
  readonly #queue = new MessageQueue();
  readonly #outstanding: OutstandingMessages;
  readonly #strategy: ConsumerStrategy<Consumer>;
  readonly #consumers = new Set<Consumer>();
  readonly #checkpoints: GroupCheckpoints;
  readonly #progress: GroupProgress;
  readonly #parked: ParkedMessages;
  readonly #replay: ParkedReplay;
  readonly #rate: Rate;
  readonly #stopListening: () => void;
  /** What is being written; none of them rejects. */
  readonly #writes = new Set<Promise<void>>();
  #isStopped = false;

  constructor(config: GroupConfig, log: EventLog, now: () => number, newId: () => string) {
    const key = groupKey(config.source, config.group);
    this.config = config;
    this.#messages = new MessageReader(log, config.settings, now);
    this.#outstanding = new OutstandingMessages(now, config.settings.extraStatistics);
    this.#strategy = createStrategy(config.settings.consumerStrategyName);
    this.#checkpoints = new GroupCheckpoints(log, config.source, key, newId);
    this.#progress = new GroupProgress(config, this.#checkpoints, now);
    this.#parked = new ParkedMessages(log, key, now, newId);
    this.#replay = new ParkedReplay(this.#parked);
    this.#rate = new Rate(now());
    this.#source = openSource(log, config, now);
    this.#reader = new SourceReader(this.#source, this.#progress.start, this.#batchSize, {
      hasRoom: () => this.#hasRoom,
      take: (page) => this.#take(page),
      fail: () => this.#fail(),
    });
    this.#stopListening = log.onCommit(() => this.#reader.readOn());
    void this.#reader.run();
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
      const message = this.#outstanding.takeBack(id);
      if (message !== undefined) this.#queue.retryLater(message);
    }
    this.#push();
  }

  /** The events with these ids are done. */
  ack(ids: readonly string[]): void {
    for (const id of ids) {
      const message = this.#outstanding.takeBack(id);
      if (message !== undefined) this.#progress.finish(message);
    }
    this.#goOn();
  }

  /** The events with these ids failed. */
  nack(ids: readonly string[], action: NackAction, reason: string): void {
    for (const id of ids) {
      const message = this.#outstanding.takeBack(id);
      if (message === undefined) continue;
      if (action === "skip") this.#progress.finish(message);
      else if (action === "park")
        this.#track(this.#park(message, `Client explicitly NAK'ed message.\n${reason}`));
      else this.#retryOrPark(message);
    }
    this.#goOn();
  }

  /** Sends the parked messages again, up to number `stopAt`, not included. */
  replayParked(stopAt: number): void {
    this.#replay.start(stopAt);
    this.#push();
  }

  /** Does what is due by time: events that take too long are sent again, and how far the group came is written. */
  tick(): void {
    const { messageTimeout } = this.#settings;
    const late = messageTimeout > 0 ? this.#outstanding.takeBackOverdue(messageTimeout) : [];
    for (const message of late) this.#retryOrPark(message);
    if (late.length > 0) this.#push();
    this.#markCheckpoint(true);
  }

  /** Ends it all with an error for every consumer. What is on disk stays. */
  stop(): void {
    this.#isStopped = true;
    this.#stopListening();
    this.#reader.stop();
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
    const status = this.#reader.isLive ? "Live" : "Behind";
    return {
      status: this.#replay.isActive ? `ReplayingParkedMessages, ${status}` : status,
      rate: this.#rate,
      consumers: [...this.#consumers],
      lastCheckpoint: this.#progress.checkpoint,
      lastKnown: this.#source.lastWanted ?? this.#reader.lastRead,
      waiting: this.#queue.waiting,
      toRetry: this.#queue.toRetry,
      outstanding: this.#outstanding.count,
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
    const buffered = this.#queue.waiting + this.#queue.toRetry;
    return this.#settings.historyBufferSize - buffered > this.#settings.readBatchSize;
  }

  #take({ events, reached }: SourcePage): void {
    for (const { sourcePosition, record } of events) {
      const message = newMessage(record, sourcePosition);
      this.#progress.begin(message);
      this.#queue.add(message);
    }
    if (reached !== undefined) this.#progress.reach(reached);
    this.#goOn();
  }

  #goOn(): void {
    this.#markCheckpoint(false);
    this.#push();
  }

  /** Sends what can be sent; what is sent again goes first. */
  #push(): void {
    if (this.#isStopped) return;
    try {
      this.#queue.send(
        () => [...this.#consumers].some((consumer) => consumer.canTake),
        (message) => this.#offer(message),
      );
      this.#readParked();
      if (this.#hasRoom) this.#reader.readOn();
    } catch {
      this.#fail();
    }
  }

  /** The log cannot be read. As on the real server the group is of no use any more, and says so to new consumers. */
  #fail(): void {
    this.stop();
  }

  #offer(message: Message): Offer {
    // Answers name events by id. One that is out under the same id has to be answered first.
    if (this.#outstanding.has(message.id)) return "busy";
    const consumer = this.#strategy.choose(() => this.#messages.pinningKey(message));
    if (typeof consumer === "string") return consumer;
    this.#outstanding.add(message, consumer);
    this.#rate.total++;
    consumer.give(message.id, this.#messages.resolved(message), message.retries);
    return "sent";
  }

  #retryOrPark(message: Message): void {
    const { maxRetryCount } = this.#settings;
    if (message.retries < maxRetryCount) this.#queue.retryLater(message);
    else this.#track(this.#park(message, `Reached retry count of ${maxRetryCount}`));
  }

  /** The message stays unfinished until its link is on disk: no checkpoint passes it before. */
  async #park(message: Message, reason: string): Promise<void> {
    try {
      const record = this.#messages.record(message);
      await this.#parked.park(record, this.#messages.resolvesLink(message), reason);
      this.#progress.finish(message);
    } catch {
      this.#queue.retryLater(message);
    }
    this.#goOn();
  }

  /** Reads parked messages while few wait to be sent again. */
  #readParked(): void {
    if (this.#queue.toRetry >= this.#batchSize) return;
    const batch = this.#replay.read(this.#batchSize);
    if (batch === undefined) return;
    for (const record of batch.records) this.#queue.replay(newMessage(record, undefined));
    this.#track(batch.forgotten.then(() => this.#push()));
  }

  #markCheckpoint(isTimeCheck: boolean): void {
    const write = this.#isStopped ? undefined : this.#progress.writeWhenDue(isTimeCheck);
    if (write !== undefined) this.#track(write);
  }

  /** Keeps a write in mind until it is done. */
  #track(write: Promise<void>): void {
    this.#writes.add(write);
    void write.then(() => this.#writes.delete(write));
  }

  #dropped(): StatusObject {
    return groupDropped(this.config.source, this.config.group);
  }
}

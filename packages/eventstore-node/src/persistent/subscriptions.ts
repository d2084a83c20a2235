import { recordFilter } from "../storage/filters.ts";
import type { EventLog } from "../storage/log.ts";
import { loadConfig, saveConfig } from "./config.ts";
import { SubscriptionGroup } from "./delivery/group.ts";
import { openSource } from "./delivery/source.ts";
import { groupDoesNotExist, groupExists, groupFailed } from "./errors.ts";
import { ALL, type GroupConfig, groupKey, LIVE } from "./settings.ts";

/** How often groups look at the time. */
const TICK_MS = 200;

/** A group as a client asks for it. */
export type GroupRequest = Omit<GroupConfig, "liveFrom">;

/** The subscription groups of a node. They are written down whenever one is made, changed or removed. */
export class PersistentSubscriptions {
  readonly #log: EventLog;
  readonly #now: () => number;
  readonly #newId: () => string;
  readonly #groups = new Map<string, SubscriptionGroup>();
  readonly #ticking: NodeJS.Timeout;

  /** Starts the groups that are written down in `log`. */
  constructor(log: EventLog, now: () => number, newId: () => string) {
    this.#log = log;
    this.#now = now;
    this.#newId = newId;
    this.#startAll();
    this.#ticking = setInterval(() => {
      for (const group of this.#groups.values()) group.tick();
    }, TICK_MS).unref();
  }

  /** @throws a status when there is no such group. */
  find(source: string, group: string): SubscriptionGroup {
    const found = this.#groups.get(groupKey(source, group));
    if (found === undefined) throw groupDoesNotExist(source, group);
    return found;
  }

  /** All groups, by the names of their sources. */
  all(): SubscriptionGroup[] {
    return [...this.#groups.values()].sort((one, other) =>
      one.config.source < other.config.source ? -1 : one.config.source > other.config.source ? 1 : 0,
    );
  }

  /** The groups of one source. @throws a status when there is none. */
  of(source: string): SubscriptionGroup[] {
    const found = this.all().filter(({ config }) => config.source === source);
    if (found.length === 0) throw groupDoesNotExist(source, "");
    return found;
  }

  /** Makes a group; resolves when that is on disk. @throws a status when there is one, or it cannot be. */
  async create(request: GroupRequest): Promise<void> {
    this.#check(request);
    const key = groupKey(request.source, request.group);
    if (this.#groups.has(key)) throw groupExists(request.source, request.group);
    const group = this.#start({ ...request, liveFrom: this.#liveFrom(request) });
    try {
      await this.#save();
    } catch (error) {
      if (this.#groups.get(key) === group) this.#groups.delete(key);
      group.stop();
      throw error;
    }
  }

  /** Changes a group, which drops its consumers. The filter stays. @throws a status when there is none, or it cannot be. */
  async update(request: GroupRequest): Promise<void> {
    const before = this.find(request.source, request.group);
    this.#check(request);
    const wasLive = before.config.settings.startFrom === LIVE;
    const liveFrom = wasLive ? before.config.liveFrom : this.#liveFrom(request);
    before.stop();
    this.#start({ ...request, filter: before.config.filter, liveFrom });
    await this.#save();
  }

  /** Removes a group, which drops its consumers. @throws a status when there is none. */
  async delete(source: string, group: string): Promise<void> {
    const found = this.find(source, group);
    this.#groups.delete(groupKey(source, group));
    await Promise.all([found.delete(), this.#save()]);
  }

  /** Starts all groups anew from what is on disk, which drops their consumers. */
  restart(): void {
    for (const group of this.#groups.values()) group.stop();
    this.#groups.clear();
    this.#startAll();
  }

  stop(): void {
    clearInterval(this.#ticking);
    for (const group of this.#groups.values()) group.stop();
  }

  #startAll(): void {
    for (const config of loadConfig(this.#log)) this.#start(config);
  }

  #start(config: GroupConfig): SubscriptionGroup {
    const group = new SubscriptionGroup(config, this.#log, this.#now, this.#newId);
    this.#groups.set(groupKey(config.source, config.group), group);
    return group;
  }

  #save(): Promise<void> {
    const configs = [...this.#groups.values()].map(({ config }) => config);
    return saveConfig(this.#log, configs, new Date(this.#now()), this.#newId);
  }

  #liveFrom(request: GroupRequest): number {
    const isLive = request.settings.startFrom === LIVE;
    return isLive ? openSource(this.#log, { ...request, liveFrom: 0 }, this.#now).end : 0;
  }

  #check({ source, group, settings, filter }: GroupRequest): void {
    if (filter !== undefined) recordFilter(filter.on, filter.regex, filter.prefixes);
    if (settings.readBatchSize >= settings.historyBufferSize) {
      throw groupFailed(source, group, "the read batch size must be smaller than the history buffer size");
    }
    if (settings.startFrom < LIVE) throw groupFailed(source, group, "it cannot start before the beginning");
    if (source === ALL && settings.startFrom > this.#log.lastPosition) {
      throw groupFailed(
        source,
        group,
        `it cannot start at position ${settings.startFrom}, past the end of the log, ${this.#log.lastPosition}`,
      );
    }
  }
}

import type { EventLog } from "../storage/log.ts";
import { parseObject } from "../storage/stream-metadata.ts";
import {
  type GroupConfig,
  type GroupFilter,
  type GroupSettings,
  LIVE,
  parseSourcePosition,
  STRATEGY_NAMES,
  sourcePositionText,
} from "./settings.ts";
import { appendSystemEvent, changeMetadata } from "./streams.ts";

const STREAM = "$persistentSubscriptionConfig";

/** How many states of the list stay visible, as on the real server. */
const KEPT = 2;

/** Writes down all groups; resolves when that is on disk. */
export async function saveConfig(
  log: EventLog,
  groups: readonly GroupConfig[],
  updated: Date,
  newId: () => string,
): Promise<void> {
  if (log.reader.metadata(STREAM) === undefined)
    await changeMetadata(log, STREAM, { $maxCount: KEPT }, newId);
  const config = { version: "2", updated: updated.toISOString(), entries: groups.map(toEntry) };
  const event = { type: "$PersistentConfig", isJson: true, data: JSON.stringify(config) };
  await appendSystemEvent(log, STREAM, event, newId);
}

/** The groups that were last written down. Entries that make no sense are left out, as on the real server. */
export function loadConfig(log: EventLog): GroupConfig[] {
  const data = log.reader.lastData(STREAM);
  const { entries } = data === undefined ? {} : parseObject(data);
  return Array.isArray(entries) ? entries.flatMap((entry) => fromEntry(entry) ?? []) : [];
}

/** The real server's names, and `liveFrom` and `prefixes`, which it does not keep. */
function toEntry({ source, group, filter, settings, liveFrom }: GroupConfig) {
  return {
    stream: source,
    group,
    filter: filter && toFilterEntry(filter),
    resolveLinkTos: settings.resolveLinkTos,
    extraStatistics: settings.extraStatistics,
    messageTimeout: settings.messageTimeout,
    startPosition: sourcePositionText(source, settings.startFrom),
    liveFrom,
    liveBufferSize: settings.liveBufferSize,
    historyBufferSize: settings.historyBufferSize,
    maxRetryCount: settings.maxRetryCount,
    readBatchSize: settings.readBatchSize,
    checkPointAfter: settings.checkPointAfter,
    minCheckPointCount: settings.checkPointLowerBound,
    maxCheckPointCount: settings.checkPointUpperBound,
    maxSubscriberCount: settings.maxSubscriberCount,
    namedConsumerStrategy: settings.consumerStrategyName,
  };
}

function toFilterEntry({ on, regex, prefixes }: GroupFilter) {
  return {
    context: on === "type" ? "eventtype" : "streamid",
    type: regex === "" ? "prefix" : "regex",
    data: regex === "" ? prefixes.join(",") : regex,
    isAllStream: true,
    prefixes,
  };
}

function fromEntry(value: unknown): GroupConfig | undefined {
  const entry = new Fields(value);
  const startFrom = parseSourcePosition(entry.text("startPosition"));
  const strategy = STRATEGY_NAMES.find((name) => name === entry.text("namedConsumerStrategy"));
  if (entry.text("stream") === "" || startFrom === undefined || strategy === undefined) return undefined;
  const settings: GroupSettings = {
    startFrom,
    resolveLinkTos: entry.flag("resolveLinkTos"),
    extraStatistics: entry.flag("extraStatistics"),
    messageTimeout: entry.number("messageTimeout"),
    maxRetryCount: entry.number("maxRetryCount"),
    checkPointAfter: entry.number("checkPointAfter"),
    checkPointLowerBound: entry.number("minCheckPointCount"),
    checkPointUpperBound: entry.number("maxCheckPointCount"),
    maxSubscriberCount: entry.number("maxSubscriberCount"),
    liveBufferSize: entry.number("liveBufferSize"),
    readBatchSize: entry.number("readBatchSize"),
    historyBufferSize: entry.number("historyBufferSize"),
    consumerStrategyName: strategy,
  };
  return {
    source: entry.text("stream"),
    group: entry.text("group"),
    filter: fromFilterEntry(entry.value("filter")),
    settings,
    liveFrom: startFrom === LIVE ? entry.number("liveFrom") : 0,
  };
}

function fromFilterEntry(value: unknown): GroupFilter | undefined {
  if (value === undefined || value === null) return undefined;
  const filter = new Fields(value);
  const prefixes = filter.value("prefixes");
  return {
    on: filter.text("context") === "eventtype" ? "type" : "stream",
    regex: filter.text("type") === "regex" ? filter.text("data") : "",
    prefixes: Array.isArray(prefixes) ? prefixes.map(String) : [],
  };
}

/** Takes fields out of parsed JSON; one of another type counts as missing. */
class Fields {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    this.#fields = typeof value === "object" && value !== null ? { ...value } : {};
  }

  value(name: string): unknown {
    return this.#fields[name];
  }

  text(name: string): string {
    const value = this.#fields[name];
    return typeof value === "string" ? value : "";
  }

  number(name: string): number {
    const value = this.#fields[name];
    return typeof value === "number" ? value : 0;
  }

  flag(name: string): boolean {
    return this.#fields[name] === true;
  }
}

import persistent from "@eventstore/db-client/generated/persistent_pb.js";
import type shared from "@eventstore/db-client/generated/shared_pb.js";
import { checkStreamName } from "../streams/append-requests.ts";
import type { NackAction } from "./delivery/group.ts";
import {
  ALL,
  type GroupFilter,
  type GroupSettings,
  LIVE,
  STRATEGY_NAMES,
  type StrategyName,
} from "./settings.ts";
import type { GroupRequest } from "./subscriptions.ts";

/** Names a group. */
export interface GroupName {
  readonly source: string;
  readonly group: string;
}

const TICKS_PER_MILLISECOND = 10_000;

/** Understands a request to make or change a group. @throws RangeError when it is malformed. */
export function parseGroup(request: persistent.CreateReq | persistent.UpdateReq): GroupRequest {
  const options = request.getOptions();
  const settings = options?.getSettings();
  if (options === undefined || settings === undefined) throw new RangeError("a group needs settings");
  const group = groupName(options.getGroupName());
  const all = options.getAll();
  if (all !== undefined) {
    const filter = all instanceof persistent.CreateReq.AllOptions ? parseFilter(all.getFilter()) : undefined;
    return { source: ALL, group, filter, settings: parseSettings(settings, allStart(all)) };
  }
  // The client names a stream as clients did before groups could read `$all`.
  const stream = options.getStream();
  const source = streamName((stream ?? options).getStreamIdentifier());
  const start = stream === undefined ? revision(settings.getRevision()) : streamStart(stream);
  return { source, group, filter: undefined, settings: parseSettings(settings, start) };
}

/** The group that a request is about. @throws RangeError when it names none. */
export function parseGroupName(
  options:
    | persistent.DeleteReq.Options
    | persistent.GetInfoReq.Options
    | persistent.ReplayParkedReq.Options
    | persistent.ReadReq.Options
    | undefined,
): GroupName {
  if (options === undefined) throw new RangeError("the request needs options");
  const source = options.hasAll() ? ALL : streamName(options.getStreamIdentifier());
  return { source, group: groupName(options.getGroupName()) };
}

/** The source whose groups to list, undefined for all groups. */
export function parseList(request: persistent.ListReq): string | undefined {
  const one = request.getOptions()?.getListForStream();
  if (one === undefined) return undefined;
  return one.hasAll() ? ALL : streamName(one.getStream());
}

/** The ids in an answer, in lower case. */
export function parseIds(ids: readonly shared.UUID[]): string[] {
  return ids.map((id) => {
    const structured = id.getStructured();
    return structured === undefined ? id.getString().toLowerCase() : structuredId(structured);
  });
}

/** What to do with events that failed. As on the real server, one that was to stop the group is skipped. */
export function parseAction(nack: persistent.ReadReq.Nack): NackAction {
  const { Action } = persistent.ReadReq.Nack;
  switch (nack.getAction()) {
    case Action.PARK:
      return "park";
    case Action.SKIP:
    case Action.STOP:
      return "skip";
    default:
      return "retry";
  }
}

function parseSettings(
  settings: persistent.CreateReq.Settings | persistent.UpdateReq.Settings,
  startFrom: number,
): GroupSettings {
  return {
    startFrom,
    resolveLinkTos: settings.getResolveLinks(),
    extraStatistics: settings.getExtraStatistics(),
    messageTimeout: settings.hasMessageTimeoutTicks()
      ? Number(settings.getMessageTimeoutTicks()) / TICKS_PER_MILLISECOND
      : settings.getMessageTimeoutMs(),
    checkPointAfter: settings.hasCheckpointAfterTicks()
      ? Number(settings.getCheckpointAfterTicks()) / TICKS_PER_MILLISECOND
      : settings.getCheckpointAfterMs(),
    maxRetryCount: settings.getMaxRetryCount(),
    checkPointLowerBound: settings.getMinCheckpointCount(),
    checkPointUpperBound: settings.getMaxCheckpointCount(),
    maxSubscriberCount: settings.getMaxSubscriberCount(),
    liveBufferSize: settings.getLiveBufferSize(),
    readBatchSize: settings.getReadBatchSize(),
    historyBufferSize: settings.getHistoryBufferSize(),
    consumerStrategyName: strategyName(settings),
  };
}

/** Newer clients send a name, others a number. */
function strategyName(settings: persistent.CreateReq.Settings | persistent.UpdateReq.Settings): StrategyName {
  const named = settings instanceof persistent.CreateReq.Settings ? settings.getConsumerStrategy() : "";
  if (named !== "") {
    const known = STRATEGY_NAMES.find((name) => name === named);
    if (known === undefined) throw new RangeError(`Consumer strategy ${named} does not exist.`);
    return known;
  }
  const { ConsumerStrategy } = persistent.CreateReq;
  switch (settings.getNamedConsumerStrategy()) {
    case ConsumerStrategy.ROUNDROBIN:
      return "RoundRobin";
    case ConsumerStrategy.PINNED:
      return "Pinned";
    default:
      return "DispatchToSingle";
  }
}

function streamStart(
  stream: persistent.CreateReq.StreamOptions | persistent.UpdateReq.StreamOptions,
): number {
  if (stream.hasEnd()) return LIVE;
  return stream.hasRevision() ? revision(stream.getRevision()) : 0;
}

/** The largest revision of the wire stands for the end. */
function revision(text: string): number {
  return text === "18446744073709551615" ? LIVE : Number(text);
}

function allStart(all: persistent.CreateReq.AllOptions | persistent.UpdateReq.AllOptions): number {
  if (all.hasEnd()) return LIVE;
  return Number(all.getPosition()?.getCommitPosition() ?? 0);
}

function parseFilter(
  filter: persistent.CreateReq.AllOptions.FilterOptions | undefined,
): GroupFilter | undefined {
  if (filter === undefined) return undefined;
  const byType = filter.getEventType();
  const expression = byType ?? filter.getStreamIdentifier();
  if (expression === undefined) {
    throw new RangeError("a filter needs an event type or a stream name expression");
  }
  return {
    on: byType === undefined ? "stream" : "type",
    regex: expression.getRegex(),
    prefixes: expression.getPrefixList(),
  };
}

function streamName(identifier: shared.StreamIdentifier | undefined): string {
  const name = checkStreamName(Buffer.from(identifier?.getStreamName_asU8() ?? []).toString());
  if (name === ALL) throw new RangeError(`${ALL} is no stream: ask for all`);
  return name;
}

function groupName(name: string): string {
  if (name === "") throw new RangeError("a group needs a name");
  return name;
}

function structuredId(structured: shared.UUID.Structured): string {
  const halves = [structured.getMostSignificantBits(), structured.getLeastSignificantBits()].map((half) =>
    BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, "0"),
  );
  return halves.join("").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** What a subscription group is, in the client's names. */

/** How a group shares its events out among its consumers. */
export const STRATEGY_NAMES = ["RoundRobin", "DispatchToSingle", "Pinned", "PinnedByCorrelation"] as const;
export type StrategyName = (typeof STRATEGY_NAMES)[number];

/** The settings of a group. Times are in milliseconds. */
export interface GroupSettings {
  /** A revision, or a position for `$all`: the first event to deliver; `LIVE` for those that are yet to come. */
  readonly startFrom: number;
  readonly resolveLinkTos: boolean;
  readonly extraStatistics: boolean;
  /** How long a consumer may take for an event; 0 for as long as it likes. */
  readonly messageTimeout: number;
  readonly maxRetryCount: number;
  /** 0 to write checkpoints by count alone. */
  readonly checkPointAfter: number;
  readonly checkPointLowerBound: number;
  readonly checkPointUpperBound: number;
  /** 0 for any number. */
  readonly maxSubscriberCount: number;
  /** Kept for clients to see: consumers are fed from the log, so there is no live buffer to overflow. */
  readonly liveBufferSize: number;
  readonly readBatchSize: number;
  readonly historyBufferSize: number;
  readonly consumerStrategyName: StrategyName;
}

/** Start from what is yet to come. */
export const LIVE = -1;

/** What the name of the source is for a group that reads every stream. */
export const ALL = "$all";

/** Which events of `$all` a group wants. */
export interface GroupFilter {
  readonly on: "type" | "stream";
  /** Empty when there are prefixes. */
  readonly regex: string;
  readonly prefixes: readonly string[];
}

/** A group as it is kept. */
export interface GroupConfig {
  /** A stream, or `ALL`. */
  readonly source: string;
  readonly group: string;
  readonly filter: GroupFilter | undefined;
  readonly settings: GroupSettings;
  /** Where the end was when a group that starts there was made, so that nothing is lost before its first checkpoint. */
  readonly liveFrom: number;
}

/** What a group is known by, and its streams are named after. */
export function groupKey(source: string, group: string): string {
  return `${source}::${group}`;
}

/** The wire form of a position in the source: a revision of a stream, or a position in `$all`. */
export function sourcePositionText(source: string, position: number): string {
  return source === ALL ? `C:${position}/P:${position}` : String(position);
}

/** Reads back what `sourcePositionText` gave; undefined when it is no position. */
export function parseSourcePosition(text: string): number | undefined {
  const [, digits] = /^(?:C:)?(-?\d+)(?:\/P:-?\d+)?$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

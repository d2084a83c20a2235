import type { Applied, Shard } from "./apply-events.ts";

/** Is told how shards get on. */
export interface ShardObserver {
  applied(shard: Shard, applied: Applied): void;
  stopped(shard: Shard, isStopped: boolean): void;
}

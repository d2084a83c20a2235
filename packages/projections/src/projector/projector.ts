import { partitionCount } from "@carillon/platform";
import type { Projection } from "../rows/projection.ts";
import type { Shard } from "./apply-events.ts";
import { type ProjectorDependencies, runShard } from "./run-shard.ts";

export type { ShardObserver } from "./shard-observer.ts";

/** Every partition of each projection. */
export const shardsOf = (projections: readonly Projection[]): Shard[] =>
  projections.flatMap((projection) =>
    Array.from({ length: partitionCount }, (_, partition) => ({ projection, partition })),
  );

/** Keeps projections of one database up to date until `signal` aborts. Each partition goes on by itself. */
export async function runProjector(
  dependencies: ProjectorDependencies,
  projections: readonly Projection[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(shardsOf(projections).map((shard) => runShard(dependencies, shard, signal)));
}

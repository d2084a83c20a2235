import { partitionCount } from "@carillon/platform";
import type { Projection } from "../rows/projection.ts";
import type { Lane } from "./apply-events.ts";
import { type ProjectorParts, runLane } from "./run-partition.ts";

/** Every partition of each projection. */
export const lanesOf = (projections: readonly Projection[]): Lane[] =>
  projections.flatMap((projection) =>
    Array.from({ length: partitionCount }, (_, partition) => ({ projection, partition })),
  );

/** Keeps projections of one database up to date until `signal` aborts. Each partition goes on by itself. */
export async function runProjector(
  parts: ProjectorParts,
  projections: readonly Projection[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(lanesOf(projections).map((lane) => runLane(parts, lane, signal)));
}

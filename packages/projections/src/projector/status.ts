import { type Bus, type CheckpointTables, feedBacklog, openPostgres } from "@carillon/platform";
import { type Kysely, sql } from "kysely";
import { readerOf } from "./reader-of.ts";

/** How far one partition of a projection is. */
export interface PartitionStatus {
  readonly projection: string;
  readonly version: number;
  readonly partition: number;
  /** Of the last event that is in the read model, in decimal digits; null before the first. */
  readonly position: string | null;
  /** When the log wrote that event. */
  readonly created: Date | null;
  readonly appliedAt: Date | null;
  /** The event that it stopped at. */
  readonly stoppedAt: StoppedAt | null;
}

/** How far one partition of a projection is, and how far it has to go. */
export interface PartitionProgress extends PartitionStatus {
  /** How many events on the bus it does not have; null where the bus does not say. */
  readonly behind: number | null;
}

export interface StoppedAt {
  readonly position: string;
  readonly stream: string;
  readonly revision: number;
  readonly eventId: string;
  readonly eventType: string;
  readonly error: string;
  readonly at: string;
}

/**
 * How far the projections of one database are.
 *
 * @param url its address, for the role `carillon_reader` or `carillon_projector`
 */
export async function projectionStatus(url: string): Promise<PartitionStatus[]> {
  const db: Kysely<CheckpointTables> = openPostgres(url, {
    name: "carillon projections status",
    maxConnections: 1,
  });
  try {
    const { rows } = await sql<PartitionStatus>`
      select
        projection, version, partition, c.position, c.created, c.applied_at as "appliedAt",
        (
          select json_build_object(
            'position', p.position::text, 'stream', p.stream, 'revision', p.revision,
            'eventId', p.event_id, 'eventType', p.event_type, 'error', p.error, 'at', p.at
          )
          from carillon.poison p
          where (p.projection, p.version, p.partition) = (c.projection, c.version, c.partition)
            and p.skipped_at is null and p.position > coalesce(c.position, -1)
          order by p.position
          limit 1
        ) as "stoppedAt"
      from carillon.checkpoints c join carillon.active_versions using (projection, version)
      order by projection, version, partition`.execute(db);
    return rows;
  } finally {
    await db.destroy();
  }
}

/**
 * Adds how far each partition has to go.
 *
 * @param bus undefined where it cannot be reached
 */
export const withBacklog = (
  partitions: readonly PartitionStatus[],
  bus: Bus | undefined,
): Promise<PartitionProgress[]> =>
  Promise.all(
    partitions.map(async (status) => {
      const { projection, version, partition } = status;
      const reader = readerOf({ projection: { name: projection, version }, partition });
      const behind = bus ? await feedBacklog(bus, reader).catch(() => null) : null;
      return { ...status, behind };
    }),
  );

import type { Generated } from "kysely";

/** How far each projection is, in the schema `carillon` of its database. Holds no tenant's data. */
export interface CheckpointTables {
  "carillon.checkpoints": {
    projection: string;
    version: number;
    partition: number;
    /** Of the last event that is in the read model, in decimal digits; null before the first. */
    position: string | null;
    /** When the log wrote that event. */
    created: Date | null;
    applied_at: Date | null;
  };
  /** The version that readers see. */
  "carillon.active_versions": { projection: string; version: number };
  /** The events at which a projection's partition stopped. */
  "carillon.poison": {
    projection: string;
    version: number;
    partition: number;
    position: string;
    stream: string;
    revision: number;
    event_id: string;
    event_type: string;
    /** Without personal data. */
    error: string;
    at: Generated<Date>;
    /** Who moved past it; null while it stops the partition. */
    skipped_by: string | null;
    skipped_at: Date | null;
  };
}

import type { DomainEventType, TenantId } from "@carillon/domain";
import type { RecordedEvent } from "@carillon/platform";
import type { Transaction } from "kysely";
import { changeRows, type RowChange } from "./row-change.ts";

/** The databases of read models. */
export type DatabaseName = "live" | "auth" | "reports";

/** A read model: what it takes from the log and what it makes of it. */
export interface Projection {
  readonly name: ProjectionName;
  /** Its tables are in the schema `<name>_v<version>`. */
  readonly version: number;
  readonly database: DatabaseName;
  /** The types of events that it takes; all others pass it by unread. */
  readonly takes: ReadonlySet<string>;
  /** Applies one tenant's events, in their order, in a transaction that is in the tenant's scope. */
  readonly apply: (
    tx: Transaction<unknown>,
    tenantId: TenantId,
    events: readonly RecordedEvent[],
  ) => Promise<void>;
}

export type ProjectionName = "directory" | "submissions" | "credentials" | "class_progress";

/** What each type of event does to the rows of a read model. */
export type RowChanges = {
  readonly [Type in DomainEventType]?: (event: Extract<RecordedEvent, { type: Type }>) => RowChange;
};

/** The changes that events lead to; none for an event of another type. */
export function* changesOf(changes: RowChanges, events: Iterable<RecordedEvent>): Generator<RowChange> {
  for (const event of events) {
    const change = changes[event.type] as ((event: RecordedEvent) => RowChange) | undefined;
    if (change) yield change(event);
  }
}

/** A read model whose every event changes one row. */
export const rowProjection = (
  identity: Pick<Projection, "name" | "version" | "database">,
  changes: RowChanges,
): Projection => ({
  ...identity,
  takes: new Set(Object.keys(changes)),
  async apply(tx, tenantId, events) {
    await changeRows(tx, tenantId, changesOf(changes, events));
  },
});

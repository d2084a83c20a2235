import type { TenantId } from "@carillon/domain";
import type { Database } from "@carillon/platform";

/** A transaction that sees one tenant's rows. */
type Scoped<Views> = Parameters<Parameters<Database<Views>["withTenant"]>[1]>[0];

/**
 * Looks something up in a view by its key. Calls of one school that come while a lookup is under way share the next one: a
 * crowd costs the database little more than one of it.
 *
 * @param find gives what there is, by the key's name
 * @param nameOf says a key in a string; keys of the same name are the same
 */
export function batchedLookup<Views, Key, Row>(
  database: Pick<Database<Views>, "withTenant">,
  find: (tx: Scoped<Views>, keys: readonly Key[]) => Promise<Map<string, Row>>,
  nameOf: (key: Key) => string,
): (tenantId: TenantId, key: Key) => Promise<Row | undefined> {
  interface Batch {
    readonly keys: Map<string, Key>;
    readonly found: Promise<Map<string, Row>>;
  }
  /** What can still be joined, and what was begun last, of each school. */
  const open = new Map<TenantId, Batch>();
  const newest = new Map<TenantId, Batch>();

  const begin = (tenantId: TenantId): Batch => {
    const keys = new Map<string, Key>();
    const before = newest.get(tenantId)?.found;
    const look = async () => {
      await before?.catch(() => {});
      open.delete(tenantId);
      return database.withTenant(tenantId, (tx) => find(tx, [...keys.values()]));
    };
    const batch = { keys, found: look() };
    open.set(tenantId, batch);
    newest.set(tenantId, batch);
    const forget = () => {
      if (newest.get(tenantId) === batch) newest.delete(tenantId);
    };
    batch.found.then(forget, forget);
    return batch;
  };

  return async (tenantId, key) => {
    const batch = open.get(tenantId) ?? begin(tenantId);
    const name = nameOf(key);
    batch.keys.set(name, key);
    return (await batch.found).get(name);
  };
}

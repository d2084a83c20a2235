/** Into how many parts the events on the bus are divided. Each part is in order and is worked on by one at a time. */
export const partitionCount = 8;

/**
 * The part, 0 to `partitionCount` - 1, that all events of a tenant are in: FNV-1a (32 bits, Fowler, Noll and Vo)
 * over its id. It must never change: checkpoints are kept for each part.
 */
export function partitionOf(tenantId: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < tenantId.length; index++) {
    hash = Math.imul(hash ^ tenantId.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % partitionCount;
}

import type { TenantId } from "@carillon/domain";

/** What waits for a thread, in one line per tenant. */
export interface FairQueue<Job> {
  /** How many wait. */
  length(): number;
  /** How many of a tenant wait. */
  lengthOf(tenantId: TenantId): number;
  /** How many tenants have somebody waiting. */
  tenants(): number;
  /**
   * Adds a job. Where more than `capacity` would wait, gives back the one that has to leave: the newest of the longest line, or
   * the job itself where its own line would be no shorter than that one. So one tenant may have all the room while
   * nobody else wants it, and a newcomer gets in as long as any line has two jobs more than theirs.
   */
  add(tenantId: TenantId, job: Job, capacity: number): Job | undefined;
  /** Puts a job back to the front of its line: it was taken, at this cost, and not done. */
  putBack(tenantId: TenantId, job: Job, cost: number): void;
  /** Takes the oldest job of the tenant that has had the least, and charges it with what the job is expected to cost. */
  take(cost: number): Job | undefined;
  /** Charges a tenant with what its job took more (or, negative, less) than was expected. */
  charge(tenantId: TenantId, cost: number): void;
}

interface Line<Job> {
  readonly jobs: Job[];
  /** The work that it has had, on the clock that all lines share. */
  served: number;
}

/**
 * Opens a queue that is fair between tenants by start-time fair queueing (Goyal, Vin, Cheng 1996), with all weights
 * equal: the same as round robin where all jobs cost the same, and the same share of the time where one tenant's jobs
 * cost twenty times as much. Room is shared by dropping from the longest queue (Suter et al. 1998).
 */
export function fairQueue<Job>(): FairQueue<Job> {
  const lines = new Map<TenantId, Line<Job>>();
  let length = 0;
  /** How much the tenant that was served last had had. */
  let clock = 0;

  const waiting = () => [...lines.values()].filter(({ jobs }) => jobs.length > 0);

  function lineOf(tenantId: TenantId): Line<Job> {
    let line = lines.get(tenantId);
    if (!line) {
      line = { jobs: [], served: clock };
      lines.set(tenantId, line);
    }
    // A tenant that was away has no claim on the time that others used.
    if (line.jobs.length === 0) line.served = Math.max(line.served, clock);
    return line;
  }

  return {
    length: () => length,
    lengthOf: (tenantId) => lines.get(tenantId)?.jobs.length ?? 0,
    tenants: () => waiting().length,
    add(tenantId, job, capacity) {
      const line = lineOf(tenantId);
      if (length < capacity) {
        line.jobs.push(job);
        length++;
        return undefined;
      }
      const longest = waiting().reduce((a, b) => (b.jobs.length > a.jobs.length ? b : a), line);
      if (line.jobs.length + 1 >= longest.jobs.length) return job;
      line.jobs.push(job);
      return longest.jobs.pop();
    },
    putBack(tenantId, job, cost) {
      const line = lineOf(tenantId);
      line.jobs.unshift(job);
      line.served -= cost;
      length++;
    },
    take(cost) {
      let next: Line<Job> | undefined;
      for (const [tenantId, line] of lines) {
        if (line.jobs.length > 0) {
          if (!next || line.served < next.served) next = line;
        } else if (line.served <= clock) lines.delete(tenantId);
      }
      const job = next?.jobs.shift();
      if (!next || job === undefined) return undefined;
      clock = Math.max(clock, next.served);
      next.served += cost;
      length--;
      return job;
    },
    charge(tenantId, cost) {
      const line = lines.get(tenantId);
      if (line) line.served += cost;
    },
  };
}

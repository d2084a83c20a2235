import { CarillonError, type TenantId, type UserId } from "@carillon/domain";
import { counter, type MirroredBucket, type Registry } from "@carillon/platform";

/** Whose password is being tried, and from where: a device that they have used before, or anywhere else. */
export interface Guesser {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  /** A device that is known has a count of its own. Undefined for any other: those share one. */
  readonly deviceId: string | undefined;
}

/** Failed attempts: so many at `at`, one less each time that `decayMs` has passed since. */
export interface FailureCount {
  readonly failures: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** `locked`: it did not pass, and was one too many: from now on attempts are refused. */
export type AttemptResult = "passed" | "failed" | "locked";

/**
 * Stops people who guess a password, and nobody else: it counts failures by (tenant, account), known devices apart, and
 * never by address, for a school is one address. Counts for accounts that do not exist too.
 */
export interface LoginLimits {
  /**
   * Runs an attempt unless there were too many. Throws `login_locked` with a wait, without running it.
   *
   * @param passes whether the password was right. While it runs it counts as a failure, so guesses side by side do
   * not slip through; if it rejects, nothing is counted
   */
  attempt(guesser: Guesser, passes: () => Promise<boolean>): Promise<AttemptResult>;
}

export interface LoginLimitsOptions {
  readonly metrics: Registry;
  /** So many failures are free. */
  readonly maxFailures?: number;
  readonly decayMs?: number;
}

const defaults = { maxFailures: 10, decayMs: 60_000 };

/** For how long a count means anything, in milliseconds. */
export const countTtlMs = (defaults.maxFailures + 1) * defaults.decayMs;

export function openLoginLimits(
  counts: Pick<MirroredBucket<FailureCount>, "get" | "update">,
  { metrics, maxFailures = defaults.maxFailures, decayMs = defaults.decayMs }: LoginLimitsOptions,
): LoginLimits {
  /** Attempts that are running here. */
  const underWay = new Map<string, number>();
  const refused = counter(metrics, "carillon_login_locked_total");

  const failuresNow = (count: FailureCount | undefined) =>
    count ? Math.max(0, count.failures - Math.max(0, Date.now() - count.at) / decayMs) : 0;

  const oneMore = (count: FailureCount | undefined) => ({ failures: failuresNow(count) + 1, at: Date.now() });

  return {
    async attempt({ tenantId, userId, deviceId }, passes) {
      const key = `${tenantId}.${userId}.${deviceId ?? "elsewhere"}`;
      const running = underWay.get(key) ?? 0;
      const tooMany = failuresNow(counts.get(key)) + running - (maxFailures - 1);
      if (tooMany > 0) {
        refused.inc();
        throw locked(Math.round(tooMany * decayMs));
      }
      underWay.set(key, running + 1);
      try {
        if (await passes()) {
          if (counts.get(key)) await counts.update(key, () => undefined);
          return "passed";
        }
        const count = await counts.update(key, oneMore);
        return failuresNow(count) > maxFailures - 1 ? "locked" : "failed";
      } finally {
        const left = (underWay.get(key) ?? 1) - 1;
        if (left > 0) underWay.set(key, left);
        else underWay.delete(key);
      }
    },
  };
}

function locked(retryAfterMs: number): CarillonError {
  return new CarillonError(
    "login_locked",
    `There were too many wrong passwords: try again in ${Math.ceil(retryAfterMs / 1000)} s, or on a device that you have logged in on before.`,
    { wait: { retryAfterMs, place: null } },
  );
}

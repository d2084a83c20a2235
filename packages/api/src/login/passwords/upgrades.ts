import { instantOf, personDecider, type TenantId, type UserId } from "@carillon/domain";
import { commandContext, counter, type EventLog, type Logger, type Registry } from "@carillon/platform";
import type { HashPool } from "./hash-pool.ts";
import { needsUpgrade } from "./input.ts";

/** A password that was right, and what it was checked against. */
export interface KnownPassword {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly password: string;
  readonly stored: string;
  readonly correlationId: string;
}

/** Puts a stronger hash in the place of a weak one while the password is known, beside the work. */
export interface PasswordUpgrades {
  /** Returns at once. Drops what cannot be done now: the next login brings it again. */
  consider(known: KnownPassword): void;
  /** Resolves when nothing is under way. */
  settled(): Promise<void>;
}

/** More would take the threads from those who log in. */
const atOnce = 2;

export interface PasswordUpgradesDependencies {
  readonly hashPool: HashPool;
  readonly eventLog: Pick<EventLog, "execute">;
  readonly log: Pick<Logger, "warn">;
  readonly metrics: Registry;
}

export function passwordUpgrades({
  hashPool,
  eventLog,
  log,
  metrics,
}: PasswordUpgradesDependencies): PasswordUpgrades {
  const upgrades = counter(metrics, "carillon_password_upgrades_total");
  const underWay = new Set<Promise<void>>();

  const upgrade = async ({ tenantId, userId, password, stored, correlationId }: KnownPassword) => {
    try {
      const to = await hashPool.hash(tenantId, password);
      const context = { ...commandContext(tenantId, "system:auth", instantOf(new Date())), correlationId };
      await eventLog.execute(personDecider, tenantId, userId, [
        { command: { type: "UpgradePasswordHash", from: stored, to }, context },
      ]);
      upgrades.inc({ result: "replaced" });
    } catch (error) {
      upgrades.inc({ result: "left" });
      log.warn({ err: error, tenantId, userId }, "a weak password hash was left as it is");
    }
  };

  return {
    consider(known) {
      if (!needsUpgrade(known.stored)) return;
      if (underWay.size >= atOnce) return upgrades.inc({ result: "left" });
      const one = upgrade(known).finally(() => underWay.delete(one));
      underWay.add(one);
    },
    async settled() {
      await Promise.all(underWay);
    },
  };
}

import { CarillonError, type LoginRefusal } from "@carillon/domain";
import type { Account, Accounts } from "./accounts.ts";
import type { Guesser, LoginLimits } from "./login-limits.ts";
import type { HashPool } from "./passwords/hash-pool.ts";
import type { PasswordUpgrades } from "./passwords/upgrades.ts";

/** What came of somebody's attempt to prove their identity. */
export type Proof =
  | { readonly proven: true; readonly account: Account }
  | { readonly proven: false; readonly refusal: LoginRefusal };

/**
 * Checks a password. Takes the same way, and as long, for somebody who does not exist. Throws `CarillonError`:
 * `login_locked` and `busy`, each with a wait, and `unavailable`.
 */
export type ProveByPassword = (guesser: Guesser, password: string, correlationId: string) => Promise<Proof>;

export interface PasswordProofDependencies {
  readonly accounts: Accounts;
  readonly limits: LoginLimits;
  readonly hashPool: HashPool;
  readonly upgrades: PasswordUpgrades;
}

/**
 * One way of proving an identity; a passkey, or another system that vouches for somebody, is a file like this one, with
 * a `Proof` as its outcome. What a login does with a proof is the same for all.
 */
export function passwordProof({
  accounts,
  limits,
  hashPool,
  upgrades,
}: PasswordProofDependencies): ProveByPassword {
  return async (guesser, password, correlationId) => {
    const { tenantId, userId } = guesser;
    let known: Awaited<ReturnType<Accounts["account"]>> | undefined;
    const readHash = async () => {
      known = await accounts.account(tenantId, userId);
      return known.value?.passwordHash ?? null;
    };
    const result = await limits.attempt(guesser, () => hashPool.verify(tenantId, readHash, password));
    const account = known?.value;
    const stored = account?.passwordHash ?? null;
    if (result === "passed" && account && stored !== null) {
      upgrades.consider({ tenantId, userId, password, stored, correlationId });
      return { proven: true, account };
    }
    if (!known?.certain) throw cannotBeChecked();
    if (result === "locked") return { proven: false, refusal: "too_many_attempts" };
    if (!account) return { proven: false, refusal: "unknown_user" };
    return { proven: false, refusal: stored === null ? "no_password" : "wrong_password" };
  };
}

const cannotBeChecked = () =>
  new CarillonError("unavailable", "The password cannot be checked at the moment: try again.");

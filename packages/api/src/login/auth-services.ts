import type { EventLog, SigningKeys } from "@carillon/platform";
import type { Procedures } from "../http/authenticated-procedures.ts";
import type { Accounts } from "./accounts.ts";
import type { DeviceTokens } from "./device-token.ts";
import type { LoginLog } from "./login-recorder.ts";
import type { ProveByPassword } from "./password-proof.ts";
import type { HashPool } from "./passwords/hash-pool.ts";
import type { RefreshTokens } from "./refresh-token.ts";
import type { Revocations } from "./revocations.ts";
import type { SessionStore } from "./sessions.ts";

/** What the procedures of the worker `auth` work with. */
export interface AuthServices extends Procedures {
  readonly accounts: Accounts;
  readonly proveByPassword: ProveByPassword;
  readonly hashPool: Pick<HashPool, "hash">;
  readonly eventLog: Pick<EventLog, "load" | "execute">;
  readonly sessions: SessionStore;
  readonly loginLog: Pick<LoginLog, "accepted" | "refused" | "ended">;
  readonly refreshTokens: RefreshTokens;
  readonly deviceTokens: DeviceTokens;
  readonly revocations: Pick<Revocations, "isEnded" | "newestRoles">;
  readonly signingKeys: SigningKeys;
}

import { personDecider, type Role, type TenantId, tenantDecider, type UserId } from "@carillon/domain";
import type { AuthDatabase, Database, EventLog } from "@carillon/platform";

/** What a login needs to know of a person. */
export interface Account {
  readonly roles: Role[];
  readonly passwordHash: string | null;
}

/** A school and somebody in it, each undefined if there is none. */
export interface Found {
  readonly region: string | undefined;
  readonly account: Account | undefined;
}

/** Who may log in. */
export interface Accounts {
  /** From the auth database; what is not there yet, from the streams: who was enrolled a second ago gets in. */
  find(tenantId: TenantId, userId: UserId): Promise<Found>;
  /** From the person's stream: never behind. */
  newest(tenantId: TenantId, userId: UserId): Promise<Account | undefined>;
}

export function openAccounts(database: Database<AuthDatabase>, eventLog: EventLog): Accounts {
  const newest: Accounts["newest"] = async (tenantId, userId) => {
    const { state } = await eventLog.load(personDecider, tenantId, userId);
    return state && { roles: state.roles, passwordHash: state.passwordHash };
  };

  const inView = (tenantId: TenantId, userId: UserId) =>
    database.withTenant(tenantId, async (tx) => {
      const tenant = await tx.selectFrom("credentials.tenants").select("region").executeTakeFirst();
      const account = await tx
        .selectFrom("credentials.accounts")
        .select(["roles", "password_hash"])
        .where("user_id", "=", userId)
        .executeTakeFirst();
      return { region: tenant?.region, account };
    });

  return {
    newest,
    async find(tenantId, userId) {
      const view = await inView(tenantId, userId);
      const region =
        view.region ?? (await eventLog.load(tenantDecider, tenantId, tenantId)).state?.profile.region;
      if (region === undefined) return { region, account: undefined };
      // No hash in the view may be a hash that is on its way.
      if (!view.account?.password_hash) return { region, account: await newest(tenantId, userId) };
      return { region, account: { roles: view.account.roles, passwordHash: view.account.password_hash } };
    },
  };
}

import { setTimeout as delay } from "node:timers/promises";
import {
  type AuthDatabase,
  type BellTime,
  CarillonError,
  personDecider,
  type Role,
  type TenantId,
  tenantDecider,
  type UserId,
} from "@carillon/domain";
import { type Database, type EventLog, within } from "@carillon/platform";
import { eventLogAnswers } from "../http/event-log-probe.ts";
import { batchedLookup } from "../load/batched-lookup.ts";

/** What a login needs to know of a person. */
export interface Account {
  readonly roles: Role[];
  readonly passwordHash: string | null;
  /** Somebody else chose it. */
  readonly passwordIsTemporary: boolean;
}

/** What a login needs to know of a school. */
export interface School {
  readonly region: string;
  readonly timeZone: string;
  readonly bellTimes: readonly BellTime[];
}

/** What is known of something; undefined if it is not there. */
export interface Known<Value> {
  readonly value: Value | undefined;
  /** False where the log did not answer: it is what the view had, which may be old. Let nobody be refused by that. */
  readonly certain: boolean;
}

/**
 * Who may log in. The log is asked first, for it is never behind; the auth database stands in while the log does not
 * answer in time. Calls throw `CarillonError` `unavailable` if neither answers.
 */
export interface Accounts {
  /** Takes the same way for somebody who does not exist. */
  account(tenantId: TenantId, userId: UserId): Promise<Known<Account>>;
  /** A school that is there may be a minute old. */
  school(tenantId: TenantId): Promise<Known<School>>;
  /** What an operator should know. */
  notes(): readonly string[];
}

/** How long the log has for an answer. */
const patienceMs = 500;
/** How much longer, where the view is of no help. */
const longPatienceMs = 3_000;
const probeMs = 100;
const schoolMs = 60_000;

export function openAccounts(database: Database<AuthDatabase>, eventLog: EventLog): Accounts {
  const log = whileItAnswers(eventLog);
  const accountInView = accountsOf(database);
  const schools = new Map<TenantId, { readonly known: Promise<Known<School>>; readonly at: number }>();

  /** What the log says, or else the view. What the view does not have may be on its way: then the log gets more time. */
  const ask = async <Value>(
    fromLog: () => Promise<Value | undefined>,
    fromView: () => Promise<Value | undefined>,
  ): Promise<Known<Value>> => {
    const { soon, late } = await log.ask(fromLog);
    if (soon) return soon;
    const value = await fromView();
    const known = value === undefined ? await late?.() : undefined;
    return known ?? { value, certain: false };
  };

  const askForSchool = (tenantId: TenantId) =>
    ask<School>(
      async () => {
        const { state } = await eventLog.load(tenantDecider, tenantId, tenantId);
        if (!state) return undefined;
        const { region, timeZone } = state.profile;
        return { region, timeZone, bellTimes: state.bellTimes };
      },
      async () => {
        const row = await database.withTenant(tenantId, (tx) =>
          tx.selectFrom("credentials.tenants").select("region").executeTakeFirst(),
        );
        // The view has no bells: they only spread the load.
        return row && { region: row.region, timeZone: "UTC", bellTimes: [] };
      },
    );

  return {
    account: (tenantId, userId) =>
      ask<Account>(
        async () => {
          const { state } = await eventLog.load(personDecider, tenantId, userId);
          if (!state) return undefined;
          const { roles, passwordHash, temporaryPassword } = state;
          return { roles, passwordHash, passwordIsTemporary: temporaryPassword };
        },
        () => accountInView(tenantId, userId),
      ),
    school(tenantId) {
      const kept = schools.get(tenantId);
      if (kept && Date.now() - kept.at < schoolMs) return kept.known;
      const asked = { known: askForSchool(tenantId), at: Date.now() };
      schools.set(tenantId, asked);
      const forget = () => {
        if (schools.get(tenantId) === asked) schools.delete(tenantId);
      };
      // A school may be enrolled in the next second, and the log may answer again.
      asked.known.then(({ value, certain }) => (value && certain) || forget(), forget);
      return asked.known;
    },
    notes: () => (log.isAway() ? ["the event log does not answer: logins go by the view"] : []),
  };
}

/**
 * Asks the log, for what comes in time (`soon`) and what comes after that (`late`). Where nothing came in time it is
 * asked no more, so that nobody waits for nothing, until it has answered one call.
 */
function whileItAnswers(eventLog: EventLog) {
  let away = false;

  const awaitReturn = async () => {
    away = true;
    while (
      !(await eventLogAnswers(eventLog).then(
        () => true,
        () => false,
      ))
    )
      await delay(probeMs);
    away = false;
  };

  const ask = async <Value>(call: () => Promise<Value | undefined>) => {
    if (away) return { soon: undefined, late: undefined };
    const answer = call().then(
      (value): Known<Value> => ({ value, certain: true }),
      (error: unknown) => {
        if (error instanceof CarillonError && error.code === "unavailable") return undefined;
        throw error;
      },
    );
    const soon = await within(patienceMs, answer, () => undefined);
    if (soon) return { soon, late: undefined };
    if (!away) awaitReturn();
    return { soon, late: () => within(longPatienceMs, answer, () => undefined) };
  };

  return { ask, isAway: () => away };
}

/** Looks people up in the view. */
const accountsOf = (database: Database<AuthDatabase>) =>
  batchedLookup(
    database,
    async (tx, userIds: readonly UserId[]) => {
      const rows = await tx
        .selectFrom("credentials.accounts")
        .select(["user_id", "roles", "password_hash"])
        .where("user_id", "in", userIds)
        .execute();
      return new Map(
        rows.map(({ user_id, roles, password_hash }) => [
          user_id,
          // The view does not say whether it is temporary.
          { roles, passwordHash: password_hash, passwordIsTemporary: false },
        ]),
      );
    },
    (userId) => userId,
  );

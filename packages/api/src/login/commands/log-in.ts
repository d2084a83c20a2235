import {
  CarillonError,
  instantOf,
  maxUsernameLength,
  type TenantId,
  tenantIdOf,
  userIdOf,
} from "@carillon/domain";
import { z } from "zod";
import type { Context } from "../../http/trpc.ts";
import type { School } from "../accounts.ts";
import type { AuthServices } from "../auth-services.ts";
import { issueTokens, type Tokens } from "../issue-tokens.ts";
import { Password } from "../passwords/input.ts";
import { newSessionId } from "../sessions.ts";

export const LoginInput = z.object({
  /** The school's slug. */
  tenant: z.string().trim().toLowerCase().min(1).max(63),
  username: z.string().trim().min(1).max(maxUsernameLength),
  password: Password,
  /** Of the last login of this person on this device. */
  deviceToken: z.string().max(512).optional(),
});

/** A login as its client gets it. */
export interface Login extends Tokens {
  /** To be kept, and sent with the next login of the same person: their wrong guesses here are then counted apart. */
  deviceToken: string;
  /** Somebody else chose the password: its owner should choose another. */
  passwordIsTemporary: boolean;
}

/** Begins a session of somebody who knows their password. */
export async function logIn(
  services: AuthServices,
  { correlationId }: Pick<Context, "correlationId">,
  { tenant, username, password, deviceToken }: z.output<typeof LoginInput>,
): Promise<Login> {
  const { proveByPassword, sessions, loginLog, deviceTokens } = services;
  const tenantId = tenantIdOf(tenant);
  const userId = userIdOf(tenantId, username);
  const device =
    deviceToken === undefined ? undefined : deviceTokens.read(tenantId, userId, deviceToken, new Date());
  const school = await schoolNamed(services, tenant, tenantId);
  // Before the password is read: if it is changed meanwhile, this session ends with the others.
  const ref = { tenantId, userId, sessionId: newSessionId() };
  const guesser = { tenantId, userId, deviceId: device?.deviceId };
  const proof = await proveByPassword(guesser, password, correlationId);
  if (!proof.proven) {
    loginLog.refused({ ...ref, correlationId }, proof.refusal);
    throw new CarillonError("login_refused", "The username or the password is not right.");
  }
  const { roles, passwordIsTemporary } = proof.account;
  const now = new Date();
  const session = { generation: 0, rotatedAt: instantOf(now), roles, region: school.region };
  const [revision] = await Promise.all([
    sessions.create(ref, session),
    loginLog.accepted({ ...ref, correlationId }),
  ]);
  return {
    ...issueTokens(services, { ...ref, session, revision }, roles, school),
    deviceToken: deviceTokens.make(tenantId, userId, now, device),
    passwordIsTemporary,
  };
}

/** Throws `tenant_unknown` and `unavailable`. */
async function schoolNamed(
  { accounts }: Pick<AuthServices, "accounts">,
  slug: string,
  tenantId: TenantId,
): Promise<School> {
  const { value: school, certain } = await accounts.school(tenantId);
  if (school) return school;
  if (certain) throw new CarillonError("tenant_unknown", `There is no school "${slug}" here.`);
  throw new CarillonError("unavailable", "The school cannot be looked up: try again.");
}

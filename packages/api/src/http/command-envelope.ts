import { CarillonError, type Instant, isPerson, type TenantId, type UserId } from "@carillon/domain";
import { type AccessClaims, type CommandContext, commandContext } from "@carillon/platform";
import type { Context } from "./trpc.ts";

/** A person or program that was identified, at a school. */
export interface Caller extends Context {
  readonly actor: AccessClaims;
  readonly tenantId: TenantId;
}

/** The person that a token is for. Throws `forbidden` for a program's. */
export function personOf({ actor }: Pick<Caller, "actor">): UserId {
  if (isPerson(actor.sub)) return actor.sub;
  throw new CarillonError("forbidden", "This token is a program's: use one that a person logged in for.");
}

/** A command that the caller gives at `at`, with its context. Each envelope is a command of its own. */
export const envelope = <Command>(
  { tenantId, actor, correlationId }: Pick<Caller, "tenantId" | "actor" | "correlationId">,
  at: Instant,
  command: Command,
): { command: Command; context: CommandContext } => ({
  command,
  context: { ...commandContext(tenantId, actor.sub, at), correlationId },
});

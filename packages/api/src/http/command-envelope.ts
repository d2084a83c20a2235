import type { Instant, TenantId } from "@carillon/domain";
import { type AccessClaims, type CommandContext, commandContext } from "@carillon/platform";
import type { Context } from "./trpc.ts";

/** Somebody who was identified, at a school. */
export interface Caller extends Context {
  readonly actor: AccessClaims;
  readonly tenantId: TenantId;
}

/** A command that the caller gives at `at`, as a step for the event log. Each step is a command of its own. */
export const envelope = <Command>(
  { tenantId, actor, correlationId }: Pick<Caller, "tenantId" | "actor" | "correlationId">,
  at: Instant,
  command: Command,
): { command: Command; context: CommandContext } => ({
  command,
  context: { ...commandContext(tenantId, actor.sub, at), correlationId },
});

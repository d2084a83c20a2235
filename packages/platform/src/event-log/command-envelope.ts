import type { Actor, Instant, TenantId } from "@carillon/domain";
import { v7 as uuidV7 } from "uuid";

/** On whose behalf, when and in which chain of causes a command runs. */
export interface CommandContext {
  readonly tenantId: TenantId;
  readonly actor: Actor;
  readonly occurredAt: Instant;
  readonly correlationId: string;
  readonly causationId: string | null;
  /** A command that is sent again under its id makes the same event ids, which the log stores once. */
  readonly commandId: string;
}

/** A context for one command that somebody gives now. */
export const commandContext = (tenantId: TenantId, actor: Actor, occurredAt: Instant): CommandContext => {
  const commandId = uuidV7();
  return { tenantId, actor, occurredAt, correlationId: commandId, causationId: null, commandId };
};

/** A command with its context. */
export interface CommandEnvelope<Command> {
  readonly command: Command;
  readonly context: CommandContext;
}

/** What `execute` does to one stream: its commands are decided one after another and appended in one write. */
export type CommandEnvelopes<Command> = readonly [CommandEnvelope<Command>, ...CommandEnvelope<Command>[]];

/** What has to be known of other streams before something is decided. */
export interface FactsProvider<Facts> {
  /** As it was a moment ago, at little cost: enough to accept a command by, never to refuse one. */
  recent(): Promise<Facts>;
  /** As the log has it now. */
  newest(): Promise<Facts>;
}

/** Commands that state facts of other streams: decided by the recent ones, and by the newest before they are refused. */
export type EnvelopesByFacts<Command> = FactsProvider<CommandEnvelopes<Command>>;

/**
 * Commands that are made of facts.
 *
 * `eventLog.execute(submissionDecider, tenantId, submissionId, byFacts(facts, (known) => [commit(known)]))` decides by what
 * was known a moment ago, and by the newest before it refuses.
 */
export const byFacts = <Facts, Command>(
  facts: FactsProvider<Facts>,
  envelopes: (facts: Facts) => CommandEnvelopes<Command>,
): EnvelopesByFacts<Command> => ({
  recent: async () => envelopes(await facts.recent()),
  newest: async () => envelopes(await facts.newest()),
});

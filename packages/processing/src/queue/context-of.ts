import { commandIdOf, type Instant } from "@carillon/domain";
import type { CommandContext, RecordedEvent } from "@carillon/platform";

/**
 * The context of the one command with which a handler answers an event. The handler and the event make the command's id, so
 * that a repeat makes the same events, which the log stores once.
 */
export const contextOf = (
  handler: string,
  { id, metadata: { tenantId, correlationId } }: RecordedEvent,
  at: Instant,
): CommandContext => ({
  tenantId,
  actor: "system:processing",
  occurredAt: at,
  correlationId,
  causationId: id,
  commandId: commandIdOf(tenantId, handler, id),
});

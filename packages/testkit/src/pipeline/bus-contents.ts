import { type Bus, type ChainedEvent, decodeEnvelope } from "@carillon/platform";

/** Every event on the bus, in its order. */
export async function busContents(bus: Bus): Promise<ChainedEvent[]> {
  const manager = await bus.jetstreamManager({ timeout: 10_000 });
  const { state } = await manager.streams.info("EVENTS");
  const events: ChainedEvent[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const { data } = await manager.streams.getMessage("EVENTS", { seq });
    events.push(decodeEnvelope(data));
  }
  return events;
}

/** How many events are on the bus. */
export async function busCount(bus: Bus): Promise<number> {
  const manager = await bus.jetstreamManager({ timeout: 10_000 });
  return (await manager.streams.info("EVENTS")).state.messages;
}

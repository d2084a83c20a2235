import { varintSize, WireReader, WireWriter, writeVarint } from "../encoding/protobuf.ts";
import { LINK_TYPE } from "../storage/links.ts";
import { recordData, recordHeader } from "../storage/record.ts";
import { parseObject } from "../storage/stream-metadata.ts";
import type { StrategyName } from "./settings.ts";

const writer = new WireWriter();

/** The first message of a persistent subscription. */
export function subscribed(subscriptionId: string): Buffer {
  return writer.message(2, (message) => message.string(1, subscriptionId)).finish();
}

/**
 * The `ReadResp` of persistent subscriptions for `message`, which is the one that a read sends: their events have the
 * same fields, and one more says how often this one was tried before.
 */
export function withRetryCount(message: Buffer, retries: number): Buffer {
  const wire = new WireReader(message);
  wire.next();
  const event = wire.bytes();
  const size = event.length + 1 + varintSize(retries);
  const out = Buffer.allocUnsafe(1 + varintSize(size) + size);
  out[0] = 0x0a; // ReadResp.event
  let at = writeVarint(out, size, 1);
  at += event.copy(out, at);
  out[at++] = 0x28; // ReadEvent.retry_count
  writeVarint(out, retries, at);
  return out;
}

/** What the pinning strategies keep together: the events of one stream, or of one correlation id where there is one. */
export function pinningKey(strategy: StrategyName, record: Buffer, resolved: Buffer): string {
  if (strategy === "PinnedByCorrelation") {
    const { $correlationId } = parseObject(customMetadata(resolved));
    if (typeof $correlationId === "string") return $correlationId;
  }
  const { stream, type } = recordHeader(record);
  if (type !== LINK_TYPE) return stream;
  const target = recordData(record).toString();
  return target.slice(target.indexOf("@") + 1);
}

/** The metadata that its writer gave the event in a `ReadResp`, or the link when there is no event. */
function customMetadata(message: Buffer): Buffer {
  const wire = new WireReader(message);
  wire.next();
  const event = wire.message();
  event.next();
  const recorded = event.message();
  for (let field = recorded.next(); field !== 0; field = recorded.next()) {
    if (field === 7) return recorded.bytes();
    recorded.skip();
  }
  return Buffer.alloc(0);
}

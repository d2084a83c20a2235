import type shared from "@eventstore/db-client/generated/shared_pb.js";
import streams from "@eventstore/db-client/generated/streams_pb.js";
import type { ExpectedRevision } from "../storage/append-rules.ts";
import { type Filter, parseFilter } from "../storage/filters.ts";
import { checkStreamName } from "./append-requests.ts";

/** Where reading begins: an end of the log or stream, or the position or revision that the client names. */
export type From = "start" | "end" | number;

interface ReadStart {
  readonly from: From;
  /** Undefined when the stream asked for is `$all`. */
  readonly stream: string | undefined;
}

/** In which form events are sent. */
export interface EventForm {
  /** With each link the event that it stands for. */
  readonly resolveLinks: boolean;
  /** Ids as two numbers instead of text. */
  readonly structuredIds: boolean;
}

/** A read that ends: so many events in one direction. */
export interface BoundedRead extends ReadStart, EventForm {
  readonly kind: "read";
  readonly filter: Filter | undefined;
  readonly backwards: boolean;
  readonly limit: number;
}

/** A read that goes on with what is appended later. It starts after the position or revision that it names. */
export interface SubscriptionRequest extends ReadStart, EventForm {
  readonly kind: "subscription";
  readonly filter: Filter | undefined;
}

/** Understands a read request. @throws RangeError when it is malformed. */
export function parseReadRequest(request: streams.ReadReq): BoundedRead | SubscriptionRequest {
  const options = request.getOptions();
  if (options === undefined) throw new RangeError("a read needs options");
  const what = {
    ...parseStart(options),
    filter: parseFilter(options),
    resolveLinks: options.getResolveLinks(),
    structuredIds: options.getUuidOption()?.hasStructured() ?? false,
  };
  if (options.hasSubscription()) return { kind: "subscription", ...what };
  if (!options.hasCount()) throw new RangeError("a read needs a count or a subscription");
  const { BACKWARDS } = streams.ReadReq.Options.ReadDirection;
  return {
    kind: "read",
    backwards: options.getReadDirection() === BACKWARDS,
    limit: Number(options.getCount()),
    ...what,
  };
}

/** The stream and expected revision of a delete or tombstone request. */
export function parseDeleteOptions(
  options: streams.DeleteReq.Options | streams.TombstoneReq.Options | undefined,
): {
  stream: string;
  expected: ExpectedRevision;
} {
  if (options === undefined) throw new RangeError("a delete needs options");
  const stream = streamName(options.getStreamIdentifier());
  if (options.hasRevision()) return { stream, expected: Number(options.getRevision()) };
  if (options.hasNoStream()) return { stream, expected: "no_stream" };
  if (options.hasStreamExists()) return { stream, expected: "stream_exists" };
  if (options.hasAny()) return { stream, expected: "any" };
  throw new RangeError("a delete needs an expected revision");
}

function parseStart(options: streams.ReadReq.Options): ReadStart {
  const one = options.getStream();
  if (one !== undefined) {
    const from = one.hasStart() ? "start" : one.hasEnd() ? "end" : Number(one.getRevision());
    return { stream: streamName(one.getStreamIdentifier()), from };
  }
  const all = options.getAll();
  if (all === undefined) throw new RangeError("a read needs a stream or all");
  const position = all.getPosition();
  if (position !== undefined) return { stream: undefined, from: Number(position.getCommitPosition()) };
  return { stream: undefined, from: all.hasEnd() ? "end" : "start" };
}

function streamName(identifier: shared.StreamIdentifier | undefined): string {
  return checkStreamName(Buffer.from(identifier?.getStreamName_asU8() ?? []).toString());
}

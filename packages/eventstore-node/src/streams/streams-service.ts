import { randomUUID } from "node:crypto";
import { StreamsService } from "@eventstore/db-client/generated/streams_grpc_pb.js";
import streams from "@eventstore/db-client/generated/streams_pb.js";
import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  sendUnaryData,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type Access, demand } from "../access/access.ts";
import { ALL_STREAM } from "../access/acl.ts";
import type { AppendResult, EventLog } from "../storage/log.ts";
import type { OpenCalls } from "../wire/open-calls.ts";
import { deadlineExceeded, streamDeleted, toStatus, wrongExpectedVersion } from "../wire/rpc-errors.ts";
import { handleBatchAppend } from "./batch-append.ts";
import { readAll, readStream } from "./read.ts";
import { parseDeleteOptions, parseReadRequest } from "./read-requests.ts";
import { ResponseWriter } from "./response-writer.ts";
import { subscribeToAll, subscribeToStream } from "./subscriptions.ts";
import { handleUnaryAppend } from "./unary-append.ts";

const asIs = (bytes: Buffer): Buffer => bytes;

/** The client's own service definition, except that events pass through as bytes. */
export const streamsDefinition: ServiceDefinition = {
  ...StreamsService,
  read: { ...StreamsService.read, responseSerialize: asIs },
  append: { ...StreamsService.append, requestDeserialize: asIs },
  batchAppend: { ...StreamsService.batchAppend, requestDeserialize: asIs, responseSerialize: asIs },
};

/** The service `event_store.client.streams.Streams` over `log`; `now` gives milliseconds since 1970. */
export function streamsService(
  log: EventLog,
  access: Access,
  calls: OpenCalls,
  now: () => number,
): UntypedServiceImplementation {
  return {
    batchAppend(call: ServerDuplexStream<Buffer, Buffer>) {
      calls.add(call);
      handleBatchAppend(log, access, call, now);
    },

    append: (
      call: ServerReadableStream<Buffer, streams.AppendResp>,
      answer: sendUnaryData<streams.AppendResp>,
    ) => handleUnaryAppend(log, access, call, answer),

    async read(call: ServerWritableStream<streams.ReadReq, Buffer>) {
      calls.add(call);
      const response = new ResponseWriter(call);
      try {
        const request = parseReadRequest(call.request);
        const { stream } = request;
        demand(access.mayAccess(call.metadata, "read", stream ?? ALL_STREAM));
        if (request.kind === "read") {
          if (stream === undefined) await readAll(log, request, response, now);
          else await readStream(log, stream, request, response, now);
        } else if (stream === undefined) await subscribeToAll(log, request, response, randomUUID(), now);
        else await subscribeToStream(log, stream, request, response, randomUUID(), now);
        response.end();
      } catch (error) {
        response.fail(toStatus(error));
      }
    },

    async delete(
      call: ServerUnaryCall<streams.DeleteReq, streams.DeleteResp>,
      answer: sendUnaryData<streams.DeleteResp>,
    ) {
      try {
        const { stream, expected } = parseDeleteOptions(call.request.getOptions());
        demand(access.mayAccess(call.metadata, "delete", stream));
        const at = positionOf(stream, expected, await log.softDelete(stream, expected));
        const position = new streams.DeleteResp.Position().setCommitPosition(at).setPreparePosition(at);
        answer(null, new streams.DeleteResp().setPosition(position));
      } catch (error) {
        answer(toStatus(error));
      }
    },

    async tombstone(
      call: ServerUnaryCall<streams.TombstoneReq, streams.TombstoneResp>,
      answer: sendUnaryData<streams.TombstoneResp>,
    ) {
      try {
        const { stream, expected } = parseDeleteOptions(call.request.getOptions());
        demand(access.mayAccess(call.metadata, "delete", stream));
        const at = positionOf(stream, expected, await log.tombstone(stream, expected));
        const position = new streams.TombstoneResp.Position().setCommitPosition(at).setPreparePosition(at);
        answer(null, new streams.TombstoneResp().setPosition(position));
      } catch (error) {
        answer(toStatus(error));
      }
    },
  };
}

function positionOf(
  stream: string,
  expected: Parameters<EventLog["softDelete"]>[1],
  result: AppendResult,
): string {
  switch (result.kind) {
    case "written":
      return String(result.slot?.position ?? 0);
    case "wrong-version":
      throw wrongExpectedVersion(stream, expected, result.current);
    case "deleted":
      throw streamDeleted(stream);
    case "too-late":
      throw deadlineExceeded();
  }
}

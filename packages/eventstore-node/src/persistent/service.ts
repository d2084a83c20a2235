import { PersistentSubscriptionsService } from "@eventstore/db-client/generated/persistent_grpc_pb.js";
import persistent from "@eventstore/db-client/generated/persistent_pb.js";
import shared from "@eventstore/db-client/generated/shared_pb.js";
import type {
  Metadata,
  ServerDuplexStream,
  ServerUnaryCall,
  ServiceDefinition,
  sendUnaryData,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type Access, demand } from "../access/access.ts";
import { callerOf } from "../access/authentication.ts";
import type { OpenCalls } from "../wire/open-calls.ts";
import { toStatus } from "../wire/rpc-errors.ts";
import { Consumer } from "./delivery/consumer.ts";
import type { SubscriptionGroup } from "./delivery/group.ts";
import { groupFailed } from "./errors.ts";
import { describeGroup } from "./info.ts";
import { subscribed } from "./messages.ts";
import { parseAction, parseGroup, parseGroupName, parseIds, parseList } from "./requests.ts";
import { groupKey } from "./settings.ts";
import type { PersistentSubscriptions } from "./subscriptions.ts";

/** The client's own service definition, except that events pass through as bytes. */
export const persistentDefinition: ServiceDefinition = {
  ...PersistentSubscriptionsService,
  read: { ...PersistentSubscriptionsService.read, responseSerialize: (bytes: Buffer) => bytes },
};

type ConsumerCall = ServerDuplexStream<persistent.ReadReq, Buffer>;

/** The service `PersistentSubscriptions` over `groups`; `now` gives milliseconds since 1970. */
export function persistentService(
  groups: PersistentSubscriptions,
  calls: OpenCalls,
  access: Access,
  now: () => number,
): UntypedServiceImplementation {
  const manage = (call: Metadata) => demand(access.isOperator(call));
  return {
    create: unary(async (request: persistent.CreateReq, caller) => {
      manage(caller);
      await groups.create(parseGroup(request));
      return new persistent.CreateResp();
    }),

    update: unary(async (request: persistent.UpdateReq, caller) => {
      manage(caller);
      await groups.update(parseGroup(request));
      return new persistent.UpdateResp();
    }),

    delete: unary(async (request: persistent.DeleteReq, caller) => {
      manage(caller);
      const { source, group } = parseGroupName(request.getOptions());
      await groups.delete(source, group);
      return new persistent.DeleteResp();
    }),

    getInfo: unary((request: persistent.GetInfoReq, caller) => {
      demand(access.isAuthenticated(caller));
      const { source, group } = parseGroupName(request.getOptions());
      return new persistent.GetInfoResp().setSubscriptionInfo(
        describeGroup(groups.find(source, group), now()),
      );
    }),

    list: unary((request: persistent.ListReq, caller) => {
      demand(access.isAuthenticated(caller));
      const source = parseList(request);
      const listed = source === undefined ? groups.all() : groups.of(source);
      return new persistent.ListResp().setSubscriptionsList(
        listed.map((group) => describeGroup(group, now())),
      );
    }),

    replayParked: unary((request: persistent.ReplayParkedReq, caller) => {
      manage(caller);
      const options = request.getOptions();
      const { source, group } = parseGroupName(options);
      const found = groups.find(source, group);
      const stopAt = options?.hasStopAt() ? Number(options.getStopAt()) : Infinity;
      if (stopAt < 0) throw groupFailed(source, group, "parked messages have no negative numbers");
      found.replayParked(stopAt);
      return new persistent.ReplayParkedResp();
    }),

    restartSubsystem: unary((_request: shared.Empty, caller) => {
      manage(caller);
      groups.restart();
      return new shared.Empty();
    }),

    read(call: ConsumerCall) {
      calls.add(call);
      let connection: { group: SubscriptionGroup; consumer: Consumer } | undefined;
      const receive = (request: persistent.ReadReq) => {
        if (connection === undefined) {
          connection = connect(call, request);
          return;
        }
        const ack = request.getAck();
        const nack = request.getNack();
        if (ack !== undefined) connection.group.ack(parseIds(ack.getIdsList()));
        if (nack !== undefined) {
          connection.group.nack(parseIds(nack.getIdsList()), parseAction(nack), nack.getReason());
        }
      };
      call.on("data", (request: persistent.ReadReq) => {
        try {
          receive(request);
        } catch (error) {
          call.emit("error", toStatus(error));
        }
      });
      const leave = () => connection?.group.disconnect(connection.consumer);
      call.once("close", leave);
      call.once("error", leave);
    },
  };

  function connect(call: ConsumerCall, request: persistent.ReadReq) {
    const options = request.getOptions();
    const { source, group } = parseGroupName(options);
    demand(access.isAuthenticated(call.metadata) && access.mayAccess(call.metadata, "read", source));
    const found = groups.find(source, group);
    found.admit();
    const consumer = new Consumer(
      call,
      {
        bufferSize: options?.getBufferSize() ?? 0,
        structuredIds: options?.getUuidOption()?.hasStructured() ?? false,
        from: call.getPeer(),
        username: callerOf(call.metadata)?.name ?? "anonymous",
        connectionName: call.metadata.get("connection-name")[0]?.toString() ?? "<unknown>",
      },
      now(),
    );
    call.write(subscribed(groupKey(source, group)));
    found.connect(consumer);
    return { group: found, consumer };
  }
}

/** Answers a call with what `handle` gives, or with the error that it throws. */
function unary<Request, Response>(
  handle: (request: Request, caller: Metadata) => Response | Promise<Response>,
) {
  return async (call: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>) => {
    try {
      answer(null, await handle(call.request, call.metadata));
    } catch (error) {
      answer(toStatus(error));
    }
  };
}

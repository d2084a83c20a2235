import { PersistentSubscriptionsService } from "@eventstore/db-client/generated/persistent_grpc_pb.js";
import persistent from "@eventstore/db-client/generated/persistent_pb.js";
import shared from "@eventstore/db-client/generated/shared_pb.js";
import type {
  Metadata,
  ServerUnaryCall,
  ServiceDefinition,
  sendUnaryData,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type Access, demand } from "../access/access.ts";
import type { OpenCalls } from "../wire/open-calls.ts";
import { toStatus } from "../wire/rpc-errors.ts";
import { type ConsumerCall, serveConsumer } from "./consumer-call.ts";
import { groupFailed } from "./errors.ts";
import { describeGroup } from "./info.ts";
import { parseGroup, parseGroupName, parseList } from "./requests.ts";
import type { PersistentSubscriptions } from "./subscriptions.ts";

/** The client's own service definition, except that events pass through as bytes. */
export const persistentDefinition: ServiceDefinition = {
  ...PersistentSubscriptionsService,
  read: { ...PersistentSubscriptionsService.read, responseSerialize: (bytes: Buffer) => bytes },
};

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
      serveConsumer(groups, access, call, now);
    },
  };
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

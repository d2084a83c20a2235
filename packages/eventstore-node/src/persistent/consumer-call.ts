import type persistent from "@eventstore/db-client/generated/persistent_pb.js";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { type Access, demand } from "../access/access.ts";
import { callerOf } from "../access/authentication.ts";
import { toStatus } from "../wire/rpc-errors.ts";
import { Consumer } from "./delivery/consumer.ts";
import type { SubscriptionGroup } from "./delivery/group.ts";
import { subscribed } from "./messages.ts";
import { parseAction, parseGroupName, parseIds } from "./requests.ts";
import { groupKey } from "./settings.ts";
import type { PersistentSubscriptions } from "./subscriptions.ts";

/** The call on which a consumer gets events and answers them. */
export type ConsumerCall = ServerDuplexStream<persistent.ReadReq, Buffer>;

/** A consumer in its group. */
interface Connection {
  readonly group: SubscriptionGroup;
  readonly consumer: Consumer;
}

/** Serves one consumer until its call ends: the first message names the group, the others answer events. */
export function serveConsumer(
  groups: PersistentSubscriptions,
  access: Access,
  call: ConsumerCall,
  now: () => number,
): void {
  let connection: Connection | undefined;
  call.on("data", (request: persistent.ReadReq) => {
    try {
      if (connection === undefined) connection = connect(groups, access, call, request, now());
      else takeAnswer(connection.group, request);
    } catch (error) {
      call.emit("error", toStatus(error));
    }
  });
  const leave = () => connection?.group.disconnect(connection.consumer);
  call.once("close", leave);
  call.once("error", leave);
}

/** @throws a status when there is no such group, when it is full, or when the caller may not read its source. */
function connect(
  groups: PersistentSubscriptions,
  access: Access,
  call: ConsumerCall,
  request: persistent.ReadReq,
  now: number,
): Connection {
  const options = request.getOptions();
  const { source, group: name } = parseGroupName(options);
  demand(access.isAuthenticated(call.metadata) && access.mayAccess(call.metadata, "read", source));
  const group = groups.find(source, name);
  group.admit();
  const consumer = new Consumer(
    call,
    {
      bufferSize: options?.getBufferSize() ?? 0,
      structuredIds: options?.getUuidOption()?.hasStructured() ?? false,
      from: call.getPeer(),
      username: callerOf(call.metadata)?.name ?? "anonymous",
      connectionName: call.metadata.get("connection-name")[0]?.toString() ?? "<unknown>",
    },
    now,
  );
  call.write(subscribed(groupKey(source, name)));
  group.connect(consumer);
  return { group, consumer };
}

function takeAnswer(group: SubscriptionGroup, request: persistent.ReadReq): void {
  const ack = request.getAck();
  const nack = request.getNack();
  if (ack !== undefined) group.ack(parseIds(ack.getIdsList()));
  if (nack !== undefined) group.nack(parseIds(nack.getIdsList()), parseAction(nack), nack.getReason());
}

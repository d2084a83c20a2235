import { randomUUID } from "node:crypto";
import { GossipService } from "@eventstore/db-client/generated/gossip_grpc_pb.js";
import gossip from "@eventstore/db-client/generated/gossip_pb.js";
import shared from "@eventstore/db-client/generated/shared_pb.js";
import type { ServerUnaryCall, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";

export { GossipService as gossipDefinition };

/** A cluster of one: this node is the leader, at the address by which the client reached it. */
export function gossipService(now: () => number): UntypedServiceImplementation {
  const instanceId = new shared.UUID().setString(randomUUID());
  return {
    read(call: ServerUnaryCall<unknown, unknown>, answer: sendUnaryData<gossip.ClusterInfo>) {
      const reached = new URL(`http://${call.getHost()}`);
      const member = new gossip.MemberInfo()
        .setInstanceId(instanceId)
        .setTimeStamp(`${now()}0000`)
        .setState(gossip.MemberInfo.VNodeState.LEADER)
        .setIsAlive(true)
        .setHttpEndPoint(
          new gossip.EndPoint().setAddress(reached.hostname).setPort(Number(reached.port) || 80),
        );
      answer(null, new gossip.ClusterInfo().setMembersList([member]));
    },
  };
}

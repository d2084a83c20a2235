import { ServerFeaturesService } from "@eventstore/db-client/generated/serverfeatures_grpc_pb.js";
import features from "@eventstore/db-client/generated/serverfeatures_pb.js";
import { StreamsService } from "@eventstore/db-client/generated/streams_grpc_pb.js";
import type { ServerUnaryCall, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";

/** The server whose behaviour clients find here. */
const SERVER_VERSION = "23.10.0";

export { ServerFeaturesService as serverFeaturesDefinition };

/** Tells clients which methods exist, so that they choose batch append and refuse what is not there by themselves. */
export const serverFeatures: UntypedServiceImplementation = {
  getSupportedMethods(
    _call: ServerUnaryCall<unknown, unknown>,
    answer: sendUnaryData<features.SupportedMethods>,
  ) {
    const supported = new features.SupportedMethods().setEventStoreServerVersion(SERVER_VERSION);
    for (const { path } of [...Object.values(StreamsService), ...Object.values(ServerFeaturesService)]) {
      const [, service = "", method = ""] = path.split("/");
      supported.addMethods(
        new features.SupportedMethod().setServiceName(service).setMethodName(method.toLowerCase()),
      );
    }
    answer(null, supported);
  },
};

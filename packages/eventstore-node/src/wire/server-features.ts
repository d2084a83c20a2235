import { PersistentSubscriptionsService } from "@eventstore/db-client/generated/persistent_grpc_pb.js";
import { ProjectionsService } from "@eventstore/db-client/generated/projections_grpc_pb.js";
import { ServerFeaturesService } from "@eventstore/db-client/generated/serverfeatures_grpc_pb.js";
import features from "@eventstore/db-client/generated/serverfeatures_pb.js";
import { StreamsService } from "@eventstore/db-client/generated/streams_grpc_pb.js";
import type { ServerUnaryCall, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";

/** The server whose behaviour clients find here. */
export const SERVER_VERSION = "23.10.0";

const services = [StreamsService, PersistentSubscriptionsService, ProjectionsService, ServerFeaturesService];
const methods = services.flatMap((service) => Object.values(service));

export { ServerFeaturesService as serverFeaturesDefinition };

/** Tells clients which methods exist, so that they choose batch append and refuse what is not there by themselves. */
export const serverFeatures: UntypedServiceImplementation = {
  getSupportedMethods(
    _call: ServerUnaryCall<unknown, unknown>,
    answer: sendUnaryData<features.SupportedMethods>,
  ) {
    const supported = new features.SupportedMethods().setEventStoreServerVersion(SERVER_VERSION);
    for (const { path } of methods) {
      const [, service = "", method = ""] = path.split("/");
      supported.addMethods(
        new features.SupportedMethod()
          .setServiceName(service)
          .setMethodName(method.toLowerCase())
          .setFeaturesList(featuresOf(path)),
      );
    }
    answer(null, supported);
  },
};

/** What a method can do beyond its first version, as far as clients ask. */
function featuresOf(path: string): string[] {
  if (path === ProjectionsService.create.path) return ["track_emitted_streams"];
  const isPersistent = Object.values(PersistentSubscriptionsService).some((method) => method.path === path);
  return isPersistent ? ["stream", "all"] : [];
}

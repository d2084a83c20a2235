import type { Bus } from "../nats/bus.ts";
import { contentInJetStream } from "./content-in-jetstream.ts";
import { contentInS3 } from "./content-in-s3.ts";
import type { ContentStore } from "./content-store.ts";

/**
 * Opens the store of content: in the JetStream of `bus`, or in S3.
 *
 * @param url the setting `OBJECTS_URL`, as in `s3://KEY:SECRET@s3.eu-west-1.amazonaws.com/bucket?region=eu-west-1`
 */
export const openContent = (bus: Bus, url?: string): ContentStore =>
  url === undefined ? contentInJetStream(bus) : contentInS3(url);

import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { gossipDefinition, gossipService } from "./gossip.ts";
import { EventLog } from "./log.ts";
import { OpenCalls } from "./open-calls.ts";
import { pipelinedWrites } from "./pipelined-writes.ts";
import { serverFeatures, serverFeaturesDefinition } from "./server-features.ts";
import { streamsDefinition, streamsService } from "./streams-service.ts";

/** What `startNode` needs to know. */
export interface NodeOptions {
  /** The folder that holds the events; created when missing. */
  readonly dir: string;
  /** The TCP port, or 0 for any free one. */
  readonly port: number;
  /** The address to listen on; 127.0.0.1 unless told, since the node asks nobody for a password. */
  readonly host?: string;
}

/** A node that is serving. */
export interface RunningNode {
  readonly port: number;
  /** The connection string for clients. */
  readonly url: string;
  /** Finishes the appends that were accepted, ends all calls, and closes the folder. */
  stop(): Promise<void>;
}

/** Larger than what an append may take, so that one that is too large gets its proper error. */
const MAX_REQUEST_BYTES = 17 * 1024 * 1024;

/** How long clients get to take what was sent to them before a stop. */
const STOP_GRACE_MS = 1000;

/**
 * Starts a node over the folder `dir`. An append that it acknowledges is on disk.
 * @example
 * const node = await startNode({ dir: "./events", port: 2113 });
 * const client = EventStoreDBClient.connectionString(node.url);
 * await node.stop();
 * @throws when the folder is open in another node or of a newer format, or when the port is taken.
 */
export async function startNode({ dir, port, host = "127.0.0.1" }: NodeOptions): Promise<RunningNode> {
  const log = await EventLog.open(dir, Date.now, randomUUID);
  const calls = new OpenCalls();
  const server = new Server({
    interceptors: [pipelinedWrites],
    "grpc.max_receive_message_length": MAX_REQUEST_BYTES,
  });
  server.addService(streamsDefinition, streamsService(log, calls, Date.now));
  server.addService(serverFeaturesDefinition, serverFeatures);
  server.addService(gossipDefinition, gossipService(Date.now));
  const address = host.includes(":") ? `[${host}]` : host;
  try {
    const bind = promisify(server.bindAsync.bind(server));
    const boundPort = await bind(`${address}:${port}`, ServerCredentials.createInsecure());
    return {
      port: boundPort,
      url: `esdb://${address}:${boundPort}?tls=false`,
      async stop() {
        await log.finishWrites();
        calls.endAll();
        await shutDown(server);
        await log.close();
      },
    };
  } catch (error) {
    await log.close();
    throw error;
  }
}

async function shutDown(server: Server): Promise<void> {
  const impatience = setTimeout(() => server.forceShutdown(), STOP_GRACE_MS);
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  clearTimeout(impatience);
}

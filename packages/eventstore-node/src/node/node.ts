import { randomUUID } from "node:crypto";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { listedAccess, openAccess } from "../access/access.ts";
import { authentication } from "../access/authentication.ts";
import { certificateFor, type TlsOption } from "../access/certificate.ts";
import { type DefaultPasswords, Users } from "../access/users.ts";
import { persistentDefinition, persistentService } from "../persistent/service.ts";
import { PersistentSubscriptions } from "../persistent/subscriptions.ts";
import { ProjectionRunner } from "../projections/projection-runner.ts";
import { projectionsDefinition, projectionsService } from "../projections/projections-service.ts";
import { byCategory, byEventType } from "../projections/standard-projections.ts";
import { EventLog } from "../storage/log.ts";
import { streamsDefinition, streamsService } from "../streams/streams-service.ts";
import { OpenCalls } from "../wire/open-calls.ts";
import { pipelinedWrites } from "../wire/pipelined-writes.ts";
import { serverFeatures, serverFeaturesDefinition } from "../wire/server-features.ts";
import { gossipDefinition, gossipService } from "./gossip.ts";
import { httpEndpoints } from "./http-endpoints.ts";
import { openProtocolListener } from "./protocol-listener.ts";

/** What `startNode` needs to know. */
export interface NodeOptions {
  /** The folder that holds the events; created when missing. */
  readonly dir: string;
  /** The TCP port, or 0 for any free one. */
  readonly port: number;
  /** The address to listen on; 127.0.0.1 unless told. Without TLS no client is asked for a password. */
  readonly host?: string;
  /** Serve over TLS, and let in only users with their password; "generated" makes a certificate in the folder. */
  readonly tls?: TlsOption;
  /** Passwords of the users `admin` and `ops` in a folder that has none yet; "changeit" unless told. */
  readonly passwords?: DefaultPasswords;
  /** "System" has the projections `$by_category` and `$by_event_type`, which clients switch on; "None" unless told. */
  readonly runProjections?: "None" | "System";
  /** Switches those projections on at the start. */
  readonly startStandardProjections?: boolean;
}

/** A node that is serving. */
export interface RunningNode {
  readonly port: number;
  /** The connection string for clients, to which a node with TLS wants a user added: `esdb://admin:changeit@…`. */
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
 * ```ts
 * import { EventStoreDBClient } from "@eventstore/db-client";
 *
 * const node = await startNode({ dir: "./events", port: 2113 });
 * const client = EventStoreDBClient.connectionString(node.url);
 * await node.stop();
 * ```
 * @throws when the folder is open in another node or of a newer format, when the certificate is not usable, or when the
 * port is taken.
 */
export async function startNode({
  dir,
  port,
  host = "127.0.0.1",
  tls,
  passwords = {},
  runProjections = "None",
  startStandardProjections = false,
}: NodeOptions): Promise<RunningNode> {
  const log = await EventLog.open(dir, Date.now, randomUUID);
  let groups: PersistentSubscriptions | undefined;
  try {
    const certificate = tls && (await certificateFor(tls, dir, host));
    const users = tls && (await Users.open(log, passwords));
    const access = users === undefined ? openAccess : listedAccess(log.reader);
    const calls = new OpenCalls();
    const projections =
      runProjections === "None"
        ? []
        : [byCategory, byEventType].map((projection) => new ProjectionRunner(log, projection, randomUUID));
    groups = new PersistentSubscriptions(log, Date.now, randomUUID);
    const server = new Server({
      interceptors: users === undefined ? [pipelinedWrites] : [authentication(users), pipelinedWrites],
      "grpc.max_receive_message_length": MAX_REQUEST_BYTES,
    });
    server.addService(streamsDefinition, streamsService(log, access, calls, Date.now));
    server.addService(persistentDefinition, persistentService(groups, calls, access, Date.now));
    server.addService(projectionsDefinition, projectionsService(log, access, projections));
    server.addService(serverFeaturesDefinition, serverFeatures);
    server.addService(gossipDefinition, gossipService(Date.now));
    // The listener does TLS, so that what it hands over is plain for gRPC.
    const connections = server.createConnectionInjector(ServerCredentials.createInsecure());
    const listener = await openProtocolListener(
      { host, port, certificate },
      {
        grpc: (socket) => connections.injectConnection(socket),
        http: httpEndpoints({ log, users, hasProjections: projections.length > 0, startedAt: Date.now() }),
      },
    );
    for (const projection of projections) {
      if (startStandardProjections || projection.isSwitchedOn) projection.start();
    }
    return {
      port: listener.port,
      url: connectionString(host, listener.port, certificate),
      async stop() {
        await Promise.all(projections.map((projection) => projection.stop()));
        await log.finishWrites();
        calls.endAll();
        groups?.stop();
        listener.close();
        await shutDown(server);
        await log.close();
      },
    };
  } catch (error) {
    groups?.stop();
    await log.close();
    throw error;
  }
}

function connectionString(
  host: string,
  port: number,
  certificate: { caFile?: string | undefined } | undefined,
): string {
  const address = `esdb://${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (certificate === undefined) return `${address}?tls=false`;
  const { caFile } = certificate;
  return `${address}?tls=true${caFile === undefined ? "" : `&tlsCAFile=${encodeURIComponent(caFile)}`}`;
}

async function shutDown(server: Server): Promise<void> {
  const impatience = setTimeout(() => server.forceShutdown(), STOP_GRACE_MS);
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  clearTimeout(impatience);
}

import { join } from "node:path";
import process from "node:process";
import type { Secrets } from "../folder/secrets.ts";
import type { ProcessSpec } from "../supervisor/supervised-process.ts";
import type { DatabaseUrls, EngineSettings } from "./engine-settings.ts";
import { natsProcess } from "./nats-server.ts";
import { databases, owner, postgresProcess } from "./postgres-cluster.ts";

/** Where the engines are: ours, or those that the environment names. */
export interface EngineAddresses {
  readonly eventstoreUrl: string;
  readonly natsUrl: string;
  /** Undefined where content is kept in NATS. */
  readonly objectsUrl: string | undefined;
  /** With the owner's login. */
  readonly databaseUrls: DatabaseUrls;
}

export const enginePorts = ["postgres", "nats", "natsMonitoring", "eventstore"] as const;

const eventstoreNode = join(import.meta.dirname, "../../../../../packages/eventstore-node/src/main.ts");

/** The engines that we have to start in a folder, none needing another, and the addresses of all. */
export async function engines(
  folder: string,
  ports: Readonly<Record<(typeof enginePorts)[number], number>>,
  secrets: Secrets,
  external: EngineSettings,
): Promise<{ readonly processes: readonly ProcessSpec[]; readonly addresses: EngineAddresses }> {
  const processes: ProcessSpec[] = [];
  if (external.databaseUrls === undefined) {
    const { superuserPassword, ownerPassword } = secrets;
    processes.push(
      await postgresProcess({
        folder: join(folder, "postgres"),
        port: ports.postgres,
        superuserPassword,
        ownerPassword,
      }),
    );
  }
  if (external.natsUrl === undefined) {
    processes.push(
      natsProcess({ folder: join(folder, "nats"), port: ports.nats, monitoringPort: ports.natsMonitoring }),
    );
  }
  if (external.eventstoreUrl === undefined) {
    processes.push({
      name: "eventstore",
      command: process.execPath,
      args: [
        eventstoreNode,
        "--dir",
        join(folder, "eventstore"),
        "--host",
        "127.0.0.1",
        "--port",
        `${ports.eventstore}`,
      ],
      env: { PATH: process.env.PATH ?? "" },
      readiness: { kind: "line", pattern: /^eventstore ready/ },
    });
  }
  const databaseUrl = (name: string) =>
    `postgres://${owner}:${secrets.ownerPassword}@127.0.0.1:${ports.postgres}/${name}`;
  return {
    processes,
    addresses: {
      eventstoreUrl: external.eventstoreUrl ?? `esdb://127.0.0.1:${ports.eventstore}?tls=false`,
      objectsUrl: external.objectsUrl,
      natsUrl: external.natsUrl ?? `nats://127.0.0.1:${ports.nats}`,
      databaseUrls: external.databaseUrls ?? {
        live: databaseUrl(databases.live),
        auth: databaseUrl(databases.auth),
        reports: databaseUrl(databases.reports),
      },
    },
  };
}

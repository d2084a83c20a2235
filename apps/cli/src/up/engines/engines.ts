import { join } from "node:path";
import {
  databases,
  type EngineAddresses,
  eventStoreProcess,
  natsProcess,
  owner,
  type ProcessSpec,
  postgresProcess,
} from "@carillon/launcher";
import type { Secrets } from "../folder/secrets.ts";
import type { EngineSettings } from "./engine-settings.ts";

export const enginePorts = ["postgres", "nats", "natsMonitoring", "eventstore"] as const;

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
    processes.push(eventStoreProcess({ folder: join(folder, "eventstore"), port: ports.eventstore }));
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

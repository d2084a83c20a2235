import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { ProcessSpec } from "../supervisor/process-spec.ts";

export interface NatsServer {
  readonly folder: string;
  readonly port: number;
  /** Where it answers `/healthz`. */
  readonly monitoringPort: number;
  /** Each has a JetStream of its own. Without any, everybody may do everything in one. */
  readonly accounts?: readonly NatsAccount[];
}

/** An account with one user of the same name. */
export interface NatsAccount {
  readonly name: string;
  readonly password: string;
}

/**
 * One `nats-server` (2.9 or newer) with JetStream, as a process to supervise. It listens on 127.0.0.1 only.
 * Messages may have 8 MiB, the most that NATS advises.
 */
export function natsProcess({ folder, port, monitoringPort, accounts = [] }: NatsServer): ProcessSpec {
  const configuration = join(folder, "nats.conf");
  return {
    name: "nats",
    command: "nats-server",
    args: ["--config", configuration],
    // Debian installs it outside the PATH of common users.
    env: { PATH: `${process.env.PATH}:/usr/local/sbin:/usr/sbin` },
    readiness: { kind: "http", url: `http://127.0.0.1:${monitoringPort}/healthz` },
    async prepare() {
      mkdirSync(folder, { recursive: true });
      // The file's format takes JSON.
      const content = {
        listen: `127.0.0.1:${port}`,
        http: `127.0.0.1:${monitoringPort}`,
        max_payload: 8 * 1024 * 1024,
        jetstream: { store_dir: folder, max_memory_store: 2 ** 30, max_file_store: 64 * 2 ** 30 },
        ...(accounts.length > 0 && { accounts: Object.fromEntries(accounts.map(ofAccount)) }),
      };
      writeFileSync(configuration, `${JSON.stringify(content, null, 2)}\n`);
    },
  };
}

const ofAccount = ({ name, password }: NatsAccount) => [
  name,
  { jetstream: "enabled", users: [{ user: name, password }] },
];

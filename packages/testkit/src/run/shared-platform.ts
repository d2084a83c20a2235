import { randomBytes } from "node:crypto";
import { platformWorkers, type WorkerName, workerNames, workerProcess } from "@carillon/launcher";
import { newSigningKey } from "../school/tokens.ts";
import { freePort } from "../servers/free-port.ts";
import { passwords, startEventStore } from "../servers/servers.ts";
import { startReady } from "../servers/test-process.ts";
import { type ClientWorker, clientWorkers, type SharedPlatform } from "./offers.ts";

/** Starts every worker as `carillon up` does, and those that clients reach a second time, on Node. */
export async function startSharedPlatform(
  engines: Pick<SharedPlatform, "natsUrl" | "databaseUrls">,
): Promise<{ readonly addresses: SharedPlatform; stop(): Promise<void> }> {
  const eventStore = await startEventStore();
  const addresses = { ...engines, eventstoreUrl: eventStore.url };
  const keys = {
    AUTH_SIGNING_KEYS: JSON.stringify([newSigningKey("auth-1")]),
    RECEIPT_SIGNING_KEYS: JSON.stringify([newSigningKey("receipts-1")]),
    REFRESH_TOKEN_KEY: randomBytes(32).toString("base64url"),
  };
  const ports = { deno: await portsForAll(), node: await portsForAll() };
  const starts = (["deno", "node"] as const).flatMap((runtime) =>
    platformWorkers(ports[runtime], { ...addresses, objectsUrl: undefined }, { ...keys, ...passwords })
      .filter(({ name }) => runtime === "deno" || clientWorkers.some((other) => other === name))
      .map((worker) => ({ ...worker, runtime })),
  );
  const workers = await Promise.all(starts.map((start) => startReady(workerProcess(start))));
  const urlsOf = (of: Record<WorkerName, number>) =>
    Object.fromEntries(clientWorkers.map((name) => [name, `http://127.0.0.1:${of[name]}`])) as Record<
      ClientWorker,
      string
    >;
  return {
    addresses: { ...addresses, secrets: keys, urls: { deno: urlsOf(ports.deno), node: urlsOf(ports.node) } },
    async stop() {
      const codes = await Promise.all(workers.map((worker) => worker.stop()));
      await eventStore.stop();
      const wrong = workers.filter((_, index) => codes[index] !== 0);
      if (wrong.length > 0) {
        throw new Error(
          `workers did not stop cleanly: ${wrong.map((worker) => worker.output()).join("\n\n")}`,
        );
      }
    },
  };
}

async function portsForAll(): Promise<Record<WorkerName, number>> {
  const ports = await Promise.all(workerNames.map(async (name) => [name, await freePort()] as const));
  return Object.fromEntries(ports) as Record<WorkerName, number>;
}

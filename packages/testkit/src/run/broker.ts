import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { NatsAccount } from "@carillon/launcher";
import { startEventStore, startNats, type TestServer } from "../servers/servers.ts";
import { startCluster } from "./cluster.ts";
import type { Offers } from "./offers.ts";
import { startSharedPlatform } from "./shared-platform.ts";
import { startPlatform } from "./started-platform.ts";

/** So many test files may have a JetStream of their own in one run. */
const accountCount = 400;

/**
 * Answers what test files need of shared servers, over HTTP on a free port: each server is started when somebody first
 * asks for it.
 */
export async function startBroker(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const stops: (() => Promise<unknown>)[] = [];
  const shared = <Server extends { stop(): Promise<unknown> }>(start: () => Promise<Server>) => {
    let started: Promise<Server> | undefined;
    return () => {
      started ??= start().then((server) => {
        stops.unshift(() => server.stop());
        return server;
      });
      return started;
    };
  };

  const cluster = shared(startCluster);
  const accounts: NatsAccount[] = Array.from({ length: accountCount }, (_, index) => ({
    name: `test-${index}`,
    password: randomUUID(),
  }));
  const nats = shared(() => startNats(accounts));
  const eventStore = shared(startEventStore);
  const account = async () => accountUrl(await nats(), accounts.shift());
  const databases = async () => (await cluster()).create();
  const platform = shared(async () =>
    startSharedPlatform({ natsUrl: await account(), databaseUrls: await databases() }),
  );

  const upInAFolder = shared(startPlatform);

  const offers: { [Path in keyof Offers]: () => Promise<Offers[Path]> } = {
    "/databases": databases,
    "/nats": account,
    "/event-store": async () => (await eventStore()).url,
    "/started-platform": async () => {
      const { data, url } = await upInAFolder();
      return { data, url };
    },
    "/platform": async () => (await platform()).addresses,
  };
  const answer = async ({ url = "" }: IncomingMessage) => {
    if (!Object.hasOwn(offers, url)) throw new Error(`there is no ${url} to be had`);
    return offers[url as keyof Offers]();
  };

  const server = createServer((request, response) => {
    answer(request).then(
      (body) => response.end(JSON.stringify(body)),
      (error: Error) => response.writeHead(500).end(error.stack),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      // The last started first: what stands on a server stops before it. One that fails keeps no other running.
      const failures: unknown[] = [];
      for (const stop of stops) await stop().catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw new AggregateError(failures, "servers did not stop cleanly");
    },
  };
}

function accountUrl({ url }: TestServer, account: NatsAccount | undefined): string {
  if (account === undefined)
    throw new Error(`more than ${accountCount} test files want a JetStream of their own`);
  return url.replace("://", `://${account.name}:${account.password}@`);
}

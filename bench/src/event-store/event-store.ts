import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EventStoreDBClient } from "@eventstore/db-client";
import { type Figure, figure, quantile } from "../harness/figures.ts";
import { anonymousMemory, startServer } from "../harness/processes.ts";
import type { StormSetting } from "../harness/storm.ts";
import { appendFor, catchUp, countEvents, fill, subscribeIdly } from "./client-work.ts";

const NODE = fileURLToPath(import.meta.resolve("@carillon/eventstore-node/main"));
const CEILING = join(import.meta.dirname, "ceiling-server.ts");

const IN_FLIGHT = [1, 32, 256] as const;
const IDLE_SUBSCRIBERS = 10;

const FULL = { rounds: 5, appendMs: 2500, caughtUp: 100_000, remembered: 2_000_000 };
const QUICK = { rounds: 1, appendMs: 300, caughtUp: 2_000, remembered: 20_000 };

/**
 * The embedded node under one client, events of 1 KiB. Ceiling: the same client and a gRPC server that stores nothing,
 * or that has the same messages ready in memory.
 */
export async function eventStoreStorm({ quick, folder, say }: StormSetting): Promise<readonly Figure[]> {
  const scale = quick ? QUICK : FULL;
  const dir = join(folder, "events");
  mkdirSync(dir);
  const node = await startServer(NODE, ["--dir", dir, "--port", "0"]);
  const client = EventStoreDBClient.connectionString(node.url);
  const figures = [...(await measureAppends(client, scale, say))];
  await fill(client, Math.max(scale.caughtUp - (await countEvents(client)), 0));
  figures.push(await measureCatchUp(node.url, client, scale, say));
  say(`memory: filling up to ${scale.remembered} events`);
  await fill(client, Math.max(scale.remembered - (await countEvents(client)), 0));
  for (let n = 0; n < IDLE_SUBSCRIBERS; n++) await subscribeIdly(client);
  figures.push(figure("memory-mib", "MiB", { carillon: [anonymousMemory(node.pid)] }));
  await node.stop();
  return figures;
}

type Scale = typeof FULL;

async function measureAppends(
  client: EventStoreDBClient,
  { rounds, appendMs }: Scale,
  say: StormSetting["say"],
): Promise<readonly Figure[]> {
  const ceiling = await startServer(CEILING, []);
  const ceilingClient = EventStoreDBClient.connectionString(ceiling.url);
  const sides = { carillon: client, ceiling: ceilingClient };
  const perSecond = new Map(IN_FLIGHT.map((inFlight) => [inFlight, newRounds()]));
  const p99 = newRounds();
  for (const side of SIDES) await appendFor(sides[side], 256, appendMs);
  for (let round = 0; round < rounds; round++) {
    say(`appends, round ${round + 1} of ${rounds}`);
    for (const inFlight of IN_FLIGHT) {
      for (const side of inTurn(round)) {
        const measured = await appendFor(sides[side], inFlight, appendMs);
        perSecond.get(inFlight)?.[side].push(measured.perSecond);
        if (inFlight === 256) p99[side].push(quantile(measured.latencies, 0.99));
      }
    }
  }
  await ceiling.stop();
  return [
    ...[...perSecond].map(([inFlight, values]) => figure(`appends-per-second-${inFlight}`, "1/s", values)),
    figure("append-p99-ms-256", "ms", p99),
  ];
}

async function measureCatchUp(
  url: string,
  client: EventStoreDBClient,
  { rounds, caughtUp }: Scale,
  say: StormSetting["say"],
): Promise<Figure> {
  const ceiling = await startServer(CEILING, [url, String(caughtUp)]);
  const ceilingClient = EventStoreDBClient.connectionString(ceiling.url);
  const sides = { carillon: client, ceiling: ceilingClient };
  const values = newRounds();
  for (const side of SIDES) await catchUp(sides[side], caughtUp);
  for (let round = 0; round < rounds; round++) {
    say(`catch-up, round ${round + 1} of ${rounds}`);
    for (const side of inTurn(round)) values[side].push(await catchUp(sides[side], caughtUp));
  }
  await ceiling.stop();
  return figure("catch-up-events-per-second", "1/s", values);
}

const SIDES = ["carillon", "ceiling"] as const;

/** Each side goes first every other round, so that neither always has the warmer machine. */
function inTurn(round: number): readonly (typeof SIDES)[number][] {
  return round % 2 === 0 ? SIDES : SIDES.toReversed();
}

function newRounds(): Record<(typeof SIDES)[number], number[]> {
  return { carillon: [], ceiling: [] };
}

import { setTimeout as delay } from "node:timers/promises";
import type { RunningPlatform } from "@carillon/cli/up";
import pMap from "p-map";
import type { HandIn } from "../hand-in.ts";
import type { Submit } from "../submit.ts";
import type { Random } from "./random.ts";

/** What is killed: everything that a submission passes on its way to its score, and the only truth. */
export const victims = ["api", "eventstore", "relay", "projector-live", "processing", "nats"] as const;
export type Victim = (typeof victims)[number];

/** The most that die in one cycle. */
const mostKills = 3;
/** In how long a flood begins, in milliseconds. The kills come within this time. */
const floodMs = 1_200;

/** What a client knows after a cycle. */
export interface Client {
  readonly handIn: HandIn;
  /** Undefined for a client that gave up even though it tried again. */
  receipt: string | undefined;
}

export interface Clients {
  /** Tries for a few seconds, as a student does who then closes the page. */
  readonly submit: Submit;
  /** Tries until the platform is there again. */
  readonly submitPatiently: Submit;
}

export interface Cycle {
  readonly kills: readonly Victim[];
  readonly clients: readonly Client[];
  /** How many had no receipt when the flood was over. */
  readonly interrupted: number;
  /** How many got another receipt for the same when they asked again. */
  readonly contradicted: number;
}

/** One in so many asks again although it has its receipt. */
const askAgainEvery = 4;
const inFlight = 16;

/** A flood under which processes are killed. A student who has no receipt afterwards hands in again, under the same key. */
export async function runCycle(
  platform: RunningPlatform,
  { submit, submitPatiently }: Clients,
  handIns: readonly HandIn[],
  random: Random,
): Promise<Cycle> {
  const kills = random.some(victims, 1 + Math.floor(random.number(mostKills)));
  const clients = handIns.map((handIn): Client => ({ handIn, receipt: undefined }));
  const flood = clients.map(async (client) => {
    await delay(random.number(floodMs));
    client.receipt = await submit(client.handIn).catch(() => undefined);
  });
  const deaths = kills.map(async (victim) => {
    await delay(random.number(floodMs));
    await platform.kill(victim);
  });
  await Promise.all([...flood, ...deaths]);
  await platform.waitReady();

  const interrupted = clients.filter(({ receipt }) => receipt === undefined);
  await pMap(
    interrupted,
    async (client) => {
      client.receipt = await submitPatiently(client.handIn).catch(() => undefined);
    },
    { concurrency: inFlight },
  );
  const askAgain = clients.filter((client, n) => n % askAgainEvery === 0 && client.receipt !== undefined);
  const answers = await pMap(
    askAgain,
    async ({ handIn, receipt }) => (await submitPatiently(handIn)) === receipt,
    { concurrency: inFlight },
  );
  return {
    kills,
    clients,
    interrupted: interrupted.length,
    contradicted: answers.filter((same) => !same).length,
  };
}

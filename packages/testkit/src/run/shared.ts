import { inject } from "vitest";
import { type TestDatabases, testDatabases } from "../servers/servers.ts";
import type {} from "./global-setup.ts";
import type { Offers, SharedPlatform, StartedPlatform } from "./offers.ts";

async function ask<Path extends keyof Offers>(path: Path): Promise<Offers[Path]> {
  const answer = await fetch(new URL(path, inject("broker")));
  if (!answer.ok) throw new Error(`the run's servers have no ${path} for us: ${await answer.text()}`);
  return (await answer.json()) as Offers[Path];
}

/** Three migrated, empty databases in the run's Postgres, for this caller alone. */
export const newDatabases = async (): Promise<TestDatabases> => testDatabases(await ask("/databases"));

/** The address of an account in the run's NATS server, with an empty JetStream, for this caller alone. */
export const newNatsAccount = (): Promise<string> => ask("/nats");

/** The address of the run's event-store node. Write and read your own school's streams there; follow nothing. */
export const sharedEventStore = (): Promise<string> => ask("/event-store");

/** The run's platform. Use a school of your own; kill nothing. */
export const sharedPlatform = (): Promise<SharedPlatform> => ask("/platform");

/** The run's platform as an operator runs it, in a folder. Use a school of your own; kill nothing. */
export const startedPlatform = (): Promise<StartedPlatform> => ask("/started-platform");

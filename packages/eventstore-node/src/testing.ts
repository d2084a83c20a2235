/** Real nodes for tests, each in a temporary folder on a free port, gone when the test ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { EventStoreDBClient, type EventType, jsonEvent, type ResolvedEvent } from "@eventstore/db-client";
import { onTestFinished, vi } from "vitest";
import { type NodeOptions, type RunningNode, startNode } from "./index.ts";

/** The two ways to serve: without users, and over TLS with them. */
export const transports: { transport: string; options: Partial<NodeOptions> }[] = [
  { transport: "plain", options: {} },
  { transport: "tls", options: { tls: "generated" } },
];

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "eventstore-node-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Starts a node in this process, and a client of it: of one with TLS its administrator's. */
export async function startTestNode(
  dir = temporaryFolder(),
  options: Partial<NodeOptions> = {},
): Promise<RunningNode & { client: EventStoreDBClient }> {
  const node = await startNode({ dir, port: 0, ...options });
  const client = connect(options.tls === undefined ? node.url : asUser(node.url, "admin"));
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= client.dispose().then(() => node.stop());
    return stopped;
  };
  onTestFinished(stop);
  return { port: node.port, url: node.url, stop, client };
}

/** The connection string with a user's name and password. */
export function asUser(url: string, name: string, password = "changeit"): string {
  return url.replace("//", `//${encodeURIComponent(name)}:${encodeURIComponent(password)}@`);
}

/** A client that is disposed of after the test. */
export function connect(url: string): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(url);
  onTestFinished(() => client.dispose());
  return client;
}

/** Runs the node's command in a process of its own; resolves when it is serving. Its errors show unless ignored. */
export async function spawnNode(
  dir: string,
  port = 0,
  stderr: "inherit" | "ignore" = "inherit",
  flags: readonly string[] = [],
): Promise<{ url: string; process: ChildProcess }> {
  const main = join(import.meta.dirname, "main.ts");
  const child = spawn(process.execPath, [main, "--dir", dir, "--port", String(port), ...flags], {
    stdio: ["ignore", "pipe", stderr],
  });
  onTestFinished(() => kill(child));
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^eventstore ready (\S+)$/.exec(line)?.[1];
    if (url !== undefined) return { url, process: child };
  }
  throw new Error("the node ended before it was ready");
}

/** Ends a process at once, as a crash does. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** Tries `check` again until it passes; gives up after longer than a busy machine needs. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 60_000, interval: 5 });
}

/** An event that says which one it is. */
export function event(name: string, type = "Happened") {
  return jsonEvent({ type, data: { name } });
}

/** Everything that a read gives. */
export async function all<E>(read: AsyncIterable<E>): Promise<E[]> {
  const events: E[] = [];
  for await (const resolved of read) events.push(resolved);
  return events;
}

/** The names of the events that a read gives. */
export async function names(read: AsyncIterable<ResolvedEvent<EventType>>): Promise<unknown[]> {
  return (await all(read)).map(nameOf);
}

/** The name of an event made by `event`. */
export function nameOf({ event }: ResolvedEvent<EventType>): unknown {
  const data = event?.data;
  return typeof data === "object" && data !== null && "name" in data ? data.name : undefined;
}

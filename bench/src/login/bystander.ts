/**
 * A user who is logged in and reads on, `node bystander.ts URL`: at a steady rate, whether earlier reads have been
 * answered or not. A read takes from when it was due, so that one that is held up counts for those behind it.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { AppRouter } from "@carillon/client";
import { createTRPCClient, httpLink } from "@trpc/client";
import { serveJobs } from "../harness/job.ts";
import { leanFetch } from "../harness/lean-fetch.ts";
import { password, slug, usernameOf } from "./school.ts";

/** Logs in (before the storm), or reads for `ms` milliseconds, `perSecond` times a second. */
export type BystanderJob = { kind: "log-in" } | { kind: "read"; perSecond: number; ms: number };

export interface BystanderResult {
  /** How long each read took, in milliseconds. One that failed took as long as it took to fail. */
  readonly latencies: readonly number[];
  readonly failed: number;
}

const [url = ""] = process.argv.slice(2);
let accessToken = "";
const client = createTRPCClient<AppRouter>({
  links: [
    httpLink({
      url: `${url}/trpc`,
      fetch: leanFetch(),
      headers: () => (accessToken === "" ? {} : { authorization: `Bearer ${accessToken}` }),
    }),
  ],
});

async function read({ perSecond, ms }: { perSecond: number; ms: number }): Promise<BystanderResult> {
  const begin = performance.now();
  let failed = 0;
  const one = async (n: number) => {
    const due = begin + (n * 1000) / perSecond;
    await delay(Math.max(due - performance.now(), 0));
    await client.people.me.query().catch(() => failed++);
    return performance.now() - due;
  };
  const latencies = await Promise.all(Array.from({ length: (ms * perSecond) / 1000 }, (_, n) => one(n)));
  return { latencies, failed };
}

serveJobs<BystanderJob, BystanderResult>(async (job) => {
  if (job.kind === "read") return read(job);
  const login = await client.auth.login.mutate({ tenant: slug, username: usernameOf(0), password });
  accessToken = login.accessToken;
  return { latencies: [], failed: 0 };
});

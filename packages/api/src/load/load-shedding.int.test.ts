import { createMetrics } from "@carillon/platform";
import { Hono } from "hono";
import { expect, test } from "vitest";
import { errorResponse, typedError } from "../http/errors.ts";
import { shedLoad } from "./load-shedding.ts";

/** A worker that answers nothing until it is told to. */
function slowWorker() {
  const metrics = createMetrics("test");
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const app = new Hono();
  shedLoad(app, metrics);
  app.onError((thrown) => errorResponse(typedError(thrown)));
  app.all("*", async (context) => {
    await released;
    return context.text("done");
  });
  const answers: Promise<Response>[] = [];
  const send = (method: string, path: string, count = 1) => {
    const sent = Array.from({ length: count }, async () => app.request(path, { method }));
    answers.push(...sent);
    return sent[0] as Promise<Response>;
  };
  const underWay = async () =>
    Number(/carillon_calls_under_way\{[^}]*\} (\d+)/.exec(await metrics.metrics())?.[1]);
  return { send, release, underWay, metrics, finished: () => Promise.all(answers) };
}

const [read, write, submit, commit] = [
  ["GET", "/trpc/assignments.list"],
  ["POST", "/trpc/classes.open"],
  ["POST", "/trpc/submissions.submit"],
  ["POST", "/trpc/submissions.commit"],
] as const;

test("past capacity reads are shed first, then other writes, then submissions, and a commit last", async () => {
  const { send, release, underWay, metrics, finished } = slowWorker();
  send(...commit, 300);
  expect((await send(...read)).status).toBe(429);
  send("HEAD", "/uploads/1");
  send(...write, 211);
  expect((await send(...write)).status).toBe(429);
  expect((await send("PATCH", "/uploads/1")).status).toBe(429);
  expect((await send("HEAD", "/uploads/1")).status).toBe(429);
  send(...submit, 512);
  expect((await send(...submit)).status).toBe(429);
  send(...commit, 3_000);
  send("POST", "/trpc/submissions.commit,assignments.list");
  await expect.poll(underWay).toBe(300 + 212 + 512 + 3_000 + 1);
  release();
  const statuses = (await finished()).map(({ status }) => status);
  expect(statuses.filter((status) => status === 429)).toHaveLength(5);
  expect(await metrics.metrics()).toContain('carillon_calls_shed_total{kind="read",worker="test"} 1');
  expect(await underWay()).toBe(0);
});

test("a call that is shed says when to try again, and logins are counted apart", async () => {
  const { send, release } = slowWorker();
  send(...write, 512);
  const sentAway = await send(...write);
  const { data } = (await sentAway.json()).error;
  expect(sentAway.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
  expect(data).toMatchObject({ errorCode: "busy", place: expect.any(Number) });
  expect(data.retryAfterMs).toBeGreaterThan(0);
  const login = send("POST", "/trpc/auth.login");
  release();
  expect((await login).status).toBe(200);
});

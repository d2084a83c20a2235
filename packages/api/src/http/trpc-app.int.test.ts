import { CarillonError } from "@carillon/domain";
import { createLogger, createMetrics } from "@carillon/platform";
import { expect, test } from "vitest";
import { publicProcedure, router } from "./trpc.ts";
import { trpcApp } from "./trpc-app.ts";

const refuse = (retryAfterMs: number) =>
  publicProcedure.mutation(() => {
    throw new CarillonError("busy", "Try again.", { wait: { retryAfterMs, place: 12 } });
  });

const app = trpcApp(
  router({ soon: refuse(1_200), later: refuse(61_000), ok: publicProcedure.mutation(() => "done") }),
  createLogger("test"),
  createMetrics("test"),
);

const call = (path: string) =>
  app.request(`/trpc/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });

test("a call that is refused as busy says when to try again and at which place", async () => {
  const answer = await call("soon");
  expect(answer.status).toBe(429);
  expect(answer.headers.get("retry-after")).toBe("2");
  expect(await answer.json()).toMatchObject({
    error: { data: { errorCode: "busy", retryAfterMs: 1_200, place: 12 } },
  });
});

test("of several calls in one request the last to be taken counts", async () => {
  expect((await call("soon,later?batch=1")).headers.get("retry-after")).toBe("61");
});

test("nobody else is told to wait", async () => {
  expect((await call("ok")).headers.has("retry-after")).toBe(false);
});

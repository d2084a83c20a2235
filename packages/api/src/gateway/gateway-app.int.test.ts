import { clientOf, launchWorker, refusal, runtimes, type TestWorker, textFile } from "@carillon/testkit";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { AppRouter } from "../index.ts";

describe.each(runtimes)("the gateway on %s", (runtime) => {
  let gateway: TestWorker;
  beforeAll(async () => {
    const nobody = "http://127.0.0.1:1";
    gateway = await launchWorker(runtime, "gateway", {
      AUTH_URL: nobody,
      API_URL: nobody,
      REPORTS_URL: nobody,
    });
    await vi.waitFor(() => fetch(`${gateway.url}/healthz`), { timeout: 60_000 });
  });
  afterAll(() => gateway?.stop());

  test("says that a worker is down, and which, and is not ready itself", async () => {
    const error = await refusal(clientOf(gateway.url).people.list.query());
    expect(error).toMatchObject({ errorCode: "unavailable", httpStatus: 503 });
    expect(error.message).toContain('"api"');
    expect((await fetch(`${gateway.url}/.well-known/jwks.json`)).status).toBe(503);
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);
  });

  test("refuses a batch for several workers and says how to send it", async () => {
    const { people, reports } = createTRPCClient<AppRouter>({
      links: [httpBatchLink({ url: `${gateway.url}/trpc` })],
    });
    const [first, second] = await Promise.all([
      refusal(people.list.query()),
      refusal(reports.classProgress.query({ class: "9A" })),
    ]);
    expect(first).toMatchObject({ errorCode: "malformed", httpStatus: 400 });
    expect(first.message).toContain("httpLink");
    expect(second).toEqual(first);
  });

  test("refuses a request that is too large before it goes any further", async () => {
    const file = textFile("x".repeat(1_000_000));
    const assignmentId = crypto.randomUUID() as never;
    const error = await refusal(
      clientOf(gateway.url).submissions.submit.mutate({ assignmentId, key: "1", file }),
    );
    expect(error).toMatchObject({ errorCode: "content_too_large", httpStatus: 413 });
  });

  test("knows nothing at other addresses", async () => {
    const answer = await fetch(`${gateway.url}/admin`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { data: { errorCode: "procedure_unknown" } } });
  });
});

import type { AppRouter } from "@carillon/api";
import { createTRPCClient, TRPCClientError, type TRPCLink } from "@trpc/client";
import { observable } from "@trpc/server/observable";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { retryWhenBusy, type Wait } from "./retry-when-busy.ts";

const busy = { errorCode: "busy", retryAfterMs: 20, place: 7 };
const unavailable = { errorCode: "unavailable" };
const locked = { errorCode: "login_locked", retryAfterMs: 20, place: 1 };
const brokenConnection = undefined;

/** A client whose calls are answered with these errors' data, one after another, and then with success. */
function clientAnswered(...errors: readonly (object | undefined)[]) {
  const waits: Wait[] = [];
  let calls = 0;
  const answers: TRPCLink<AppRouter> = () => () =>
    observable((observer) => {
      const data = errors[calls++];
      if (calls > errors.length) {
        observer.next({ result: { type: "data", data: "in" } });
        return observer.complete();
      }
      const error = new TRPCClientError<AppRouter>("refused");
      observer.error(Object.assign(error, { data }));
    });
  const link = retryWhenBusy({ patienceMs: 2_000, onWait: (wait) => waits.push(wait) });
  return { client: createTRPCClient<AppRouter>({ links: [link, answers] }), waits, calls: () => calls };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets as much time pass as it takes until the call has settled, and gives what came of it. */
async function settled<Result>(call: Promise<Result>): Promise<Result> {
  call.catch(() => {});
  await vi.runAllTimersAsync();
  return call;
}

const credentials = { tenant: "school", username: "ada", password: "three bells" };
const change = { currentPassword: "three bells", newPassword: "four bells" };

test("a client that is asked to wait tries again by itself, no earlier than asked and little later", async () => {
  const { client, waits, calls } = clientAnswered(busy, busy);
  const call = client.auth.login.mutate(credentials);
  await vi.advanceTimersByTimeAsync(19);
  expect(calls()).toBe(1);
  // A quarter of the pause later at the latest.
  await vi.advanceTimersByTimeAsync(6);
  expect(calls()).toBe(2);
  await vi.advanceTimersByTimeAsync(14);
  expect(calls()).toBe(2);
  expect(await settled(call)).toBe("in");
  expect(waits.map(({ place }) => place)).toEqual([7, 7]);
  for (const { ms } of waits) {
    expect(ms).toBeGreaterThanOrEqual(20);
    expect(ms).toBeLessThanOrEqual(25);
  }
});

test("busy is repeated for any call: nothing has happened yet", async () => {
  const { client, calls } = clientAnswered(busy);
  await settled(client.auth.changePassword.mutate(change));
  expect(calls()).toBe(2);
});

test.each([
  ["unavailable", unavailable],
  ["a broken connection", brokenConnection],
])("after %s, a query and a call that may be repeated are sent again, others are not", async (_, data) => {
  const query = clientAnswered(data);
  await settled(query.client.people.me.query());
  expect(query.waits).toEqual([{ ms: expect.any(Number), place: null }]);
  const login = clientAnswered(data, data);
  await settled(login.client.auth.login.mutate(credentials));
  expect(login.calls()).toBe(3);
  const other = clientAnswered(data);
  await expect(other.client.auth.changePassword.mutate(change)).rejects.toThrow("refused");
  expect(other.calls()).toBe(1);
});

test("a locked account is told at once", async () => {
  const { client, waits } = clientAnswered(locked);
  await expect(client.auth.login.mutate(credentials)).rejects.toMatchObject({ data: locked });
  expect(waits).toEqual([]);
});

test("patience ends with the last answer, and before a pause that would outlast it", async () => {
  const { client, calls } = clientAnswered({ ...busy, retryAfterMs: 5_000 });
  await expect(client.auth.login.mutate(credentials)).rejects.toMatchObject({ data: { errorCode: "busy" } });
  expect(calls()).toBe(1);
});

test("a call that was left is not sent again", async () => {
  const { client, waits, calls } = clientAnswered({ ...busy, retryAfterMs: 200 }, busy);
  const leave = new AbortController();
  const call = client.people.me.query(undefined, { signal: leave.signal });
  await vi.advanceTimersByTimeAsync(0);
  expect(waits).toHaveLength(1);
  leave.abort();
  await expect(settled(call)).rejects.toThrow();
  expect(calls()).toBe(1);
});

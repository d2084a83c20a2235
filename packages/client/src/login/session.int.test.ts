import {
  newSlug,
  openSchool,
  runtimes,
  type School,
  type Servers,
  type SharedWorkers,
  sharedWorkers,
  test,
} from "@carillon/testkit";
import { describe, expect, onTestFinished, vi } from "vitest";
import { openSession, type SessionOptions } from "./session.ts";
import type { SessionStorage } from "./token-store.ts";

let servers: Servers;

describe.each(runtimes)("a session on %s", (runtime) => {
  const tenant = newSlug(`session-${runtime}`);
  const password = "seven loud bells at nine";
  const credentials = { tenant, username: "ada", password };
  let workers: SharedWorkers;
  let school: School;
  test.beforeAll(async () => {
    workers = await sharedWorkers(runtime);
    servers = workers.servers;
    school = await openSchool(workers.gateway.url, servers.signingKey, tenant);
    await school.admin.client.people.enroll.mutate({
      username: "ada",
      name: "Ada",
      roles: ["student"],
      password,
    });
  });

  const open = (storage: SessionStorage, options: Partial<SessionOptions> = {}) => {
    const session = openSession({ url: workers.gateway.url, storage, ...options });
    onTestFinished(() => session.close());
    return session;
  };

  test("a user who has logged in can call the API, and goes on after the page is loaded again", async () => {
    const storage = newStorage();
    const { userId, deviceToken } = await open(storage).login(credentials);
    expect([...storage.items.values()]).toContain(deviceToken);
    const again = open(storage);
    expect(await again.resume()).toMatchObject({ userId });
    expect(await again.client.people.me.query()).toMatchObject({ username: "ada" });
  });

  test("a device that was here before says so at the next login", async () => {
    const storage = newStorage();
    // School, person, device, and the end of its life.
    const deviceOf = ({ deviceToken }: { deviceToken: string }) =>
      JSON.parse(Buffer.from(deviceToken.split(".")[0] ?? "", "base64url").toString())[2];
    const session = open(storage);
    const first = await session.login(credentials);
    const second = await session.login({ ...credentials, username: " Ada" });
    expect(deviceOf(second)).toBe(deviceOf(first));
    expect(deviceOf(await open(newStorage()).login(credentials))).not.toBe(deviceOf(first));
  });

  test("an access token whose roles have changed is renewed once for all calls, which are then sent again", async () => {
    const storage = newStorage();
    const session = open(storage);
    const { userId, refreshToken } = await session.login(credentials);
    await school.admin.client.people.assignRoles.mutate({ userId, roles: ["student", "auditor"] });
    const callMeanwhile = async () => {
      await Promise.all([session.client.people.me.query(), session.client.people.me.query()]);
      return storage.getItem("carillon.refreshToken");
    };
    await expect.poll(callMeanwhile).not.toBe(refreshToken);
    expect((await session.client.people.me.query()).roles).toEqual(["student", "auditor"]);
    await school.admin.client.people.assignRoles.mutate({ userId, roles: ["student"] });
  });

  test("the session is refreshed when the service advises it", async () => {
    const { setTimeout: real } = globalThis;
    // Ten minutes are too long for a test: a long timer comes due at once, all others as they are.
    const shortened = vi.spyOn(globalThis, "setTimeout").mockImplementation(((call: () => void, ms = 0) => {
      if (ms > 300_000) shortened.mockRestore();
      return real(call, ms > 300_000 ? 0 : ms);
    }) as typeof setTimeout);
    onTestFinished(() => shortened.mockRestore());
    const storage = newStorage();
    const { refreshToken } = await open(storage).login(credentials);
    await expect.poll(() => storage.getItem("carillon.refreshToken")).not.toBe(refreshToken);
  });

  test("two tabs share a session; when one logs out the other is told", async () => {
    const storage = newStorage();
    const left = open(storage);
    await left.login(credentials);
    let ended = 0;
    const right = open(storage, { onEnded: () => ended++ });
    await right.resume();
    await left.logout();
    await expect
      .poll(() => right.client.people.me.query().catch((error) => error.data?.errorCode))
      .toBe("session_ended");
    expect(ended).toBe(1);
    expect(await left.resume()).toBe(undefined);
  });

  test("a session that was ended from elsewhere cannot be resumed, and is forgotten", async () => {
    const storage = newStorage();
    const { userId } = await open(storage).login(credentials);
    await school.admin.client.auth.revokeSessions.mutate({ userId });
    const resume = () => open(storage).resume();
    await expect.poll(resume).toBe(undefined);
    expect(storage.getItem("carillon.refreshToken")).toBe(null);
  });
});

/** A storage in memory. */
function newStorage() {
  const items = new Map<string, string>();
  return {
    items,
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => void items.set(name, value),
    removeItem: (name: string) => void items.delete(name),
  };
}

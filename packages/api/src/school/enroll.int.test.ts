import { tenantIdOf } from "@carillon/domain";
import {
  type Client,
  clientOf,
  operatorToken,
  refusal,
  runtimes,
  type Servers,
  schoolProfile,
  startWorkers,
  test,
  type Workers,
} from "@carillon/testkit";
import { afterAll, describe, expect } from "vitest";

let servers: Servers;

test.beforeAll(({ servers: own }) => {
  servers = own;
});

describe.each(runtimes)("enrolling somebody, on %s", (runtime) => {
  const slug = `enrol-${runtime}`;
  const password = "the bell of St Mary's";
  // libxcrypt: python3 -c 'import crypt; print(crypt.crypt("…", "$2b$06$abcdefghijklmnopqrstuu"))'
  const passwordHash = "$2b$06$abcdefghijklmnopqrstuuQX0UT5K1VUA1oQjRiWLJJd7UD69yRui";
  let workers: Workers;
  let operator: Client;

  test.beforeAll(async () => {
    workers = await startWorkers(runtime, servers);
    const { url } = workers.gateway;
    await clientOf(url, await operatorToken(servers.signingKey, null)).tenants.enroll.mutate(
      schoolProfile(slug),
    );
    operator = clientOf(url, await operatorToken(servers.signingKey, tenantIdOf(slug)));
  });
  afterAll(() => workers?.stop());

  const ada = (username: string) => ({ username, name: "Ada Lovelace", roles: ["student" as const] });
  const login = (username: string, password: string) =>
    clientOf(workers.gateway.url).auth.login.mutate({ tenant: slug, username, password });

  test("with a password, with the hash of another system, people log in with what they have", async () => {
    await operator.people.enroll.mutate({ ...ada("new"), password });
    await operator.people.enroll.mutate({ ...ada("moved"), passwordHash });
    for (const username of ["new", "moved"]) {
      expect(await login(username, password)).toMatchObject({ roles: ["student"] });
      expect(await refusal(login(username, "the bell of St Mary"))).toMatchObject({
        errorCode: "login_refused",
      });
    }
  });

  test("a password that is easily guessed is refused, and why is said", async () => {
    for (const password of ["Lovelace1815", `${slug}2026`]) {
      const weak = operator.people.enroll.mutate({ ...ada("weak"), password });
      expect(await refusal(weak)).toMatchObject({
        errorCode: "password_weak",
        message: expect.stringContaining("your name, your username or your school"),
      });
    }
  });

  test("a hash that we cannot check, or that would take too long, is refused", async () => {
    for (const hash of ["$6$rounds=5000$salt$hash", passwordHash.replace("$06$", "$31$")]) {
      const unsupported = operator.people.enroll.mutate({ ...ada("odd"), passwordHash: hash });
      expect(await refusal(unsupported)).toMatchObject({
        errorCode: "password_hash_unsupported",
        issues: [{ path: "passwordHash" }],
      });
    }
  });

  test("a password and a hash at once are refused", async () => {
    const both = operator.people.enroll.mutate({ ...ada("both"), password, passwordHash });
    expect(await refusal(both)).toMatchObject({ errorCode: "malformed", issues: [{ path: "passwordHash" }] });
  });

  test("the threads of both workers run at low priority: neither says that it has none", () => {
    for (const worker of [workers.auth, workers.api])
      expect(worker.output()).not.toMatch(/normal priority|hashing thread/);
  });
});

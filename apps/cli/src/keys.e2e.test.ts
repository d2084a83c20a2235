import { Buffer } from "node:buffer";
import { type AppRouter, retryWhenBusy } from "@carillon/client";
import { tenantIdOf } from "@carillon/domain";
import { carillon, carillonJson, temporaryFolder, up } from "@carillon/testkit";
import { createTRPCClient, httpLink } from "@trpc/client";
import { expect, test } from "vitest";
import { createOperatorClient } from "./operator/operator-client.ts";
import { findPlatform } from "./operator/platform-address.ts";

interface Key {
  use: string;
  kid: string;
  state: string;
}

const password = "correct horse battery staple";
const kidOf = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid as string;

const school = (slug: string) => ({
  name: "Riverside High",
  slug,
  region: "local",
  tier: "shared" as const,
  timeZone: "Europe/London",
  locale: "en-GB",
  branding: { colour: "#1a2b3c", logoUrl: null },
});

/** A client as a page has it: it sends a call again while a worker restarts. */
const patientClient = (url: string, token?: string) =>
  createTRPCClient<AppRouter>({
    links: [
      retryWhenBusy({ patienceMs: 120_000 }),
      httpLink({ url: `${url}/trpc`, headers: token ? { authorization: `Bearer ${token}` } : {} }),
    ],
  });

test("keys are rotated while the platform runs, and nobody is logged out", async () => {
  const data = temporaryFolder();
  const url = await up(data).ready;
  const tenant = "riverside-high";
  const operator = await createOperatorClient(findPlatform({ data, env: {} }), null);
  await operator.tenants.enroll.mutate(school(tenant));
  const atSchool = await createOperatorClient(findPlatform({ data, env: {} }), tenantIdOf(tenant));
  await atSchool.people.enroll.mutate({ username: "ada", name: "Ada", roles: ["student"], password });
  const anybody = patientClient(url);
  const login = () => anybody.auth.login.mutate({ tenant, username: "ada", password });
  const me = (token: string) => patientClient(url, token).people.me.query();
  const keys = async () => (await carillonJson<Key[]>("keys", "list", "--data", data)).map(asText);
  const asText = ({ use, state }: Key) => `${use} ${state}`;

  const before = await login();
  let { refreshToken } = await login();
  let rotated = false;
  const refreshing = (async () => {
    while (!rotated) {
      const answer = await anybody.auth.refresh.mutate({ refreshToken });
      await me(answer.accessToken);
      refreshToken = answer.refreshToken;
    }
  })();
  const key = await carillonJson<Key>("keys", "rotate", "access", "--now", "--data", data).finally(() => {
    rotated = true;
  });
  await refreshing;

  const after = await login();
  expect([kidOf(after.accessToken), kidOf(before.accessToken) === key.kid]).toEqual([key.kid, false]);
  for (const { accessToken } of [before, after])
    expect(await me(accessToken)).toMatchObject({ username: "ada" });
  await anybody.auth.refresh.mutate({ refreshToken: before.refreshToken });
  const renewed = await createOperatorClient(findPlatform({ data, env: {} }), null);
  await renewed.tenants.enroll.mutate(school("another-school"));
  expect(await keys()).toEqual(["access retired", "access signs", "receipts signs"]);

  const waiting = await carillonJson<Key>("keys", "rotate", "receipts", "--data", data);
  expect(waiting.state).toBe("waits");
  expect(await keys()).toEqual(["access retired", "access signs", "receipts signs", "receipts waits"]);
  const published = await fetch(`${url}/.well-known/receipts.json`).then((answer) => answer.json());
  expect(published.keys).toHaveLength(2);
});

test("what has no folder of keys, or keeps them elsewhere, is told what to do", async () => {
  const folder = temporaryFolder();
  expect(await carillon("keys", "list", "--data", folder)).toMatchObject({
    code: 1,
    stderr: `carillon: there are no keys in ${folder}: name the platform's folder with --data\n`,
  });
  expect(await carillon("keys", "rotate", "nonsense")).toMatchObject({ code: 2 });
});

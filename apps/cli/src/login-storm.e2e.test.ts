import { Buffer } from "node:buffer";
import process from "node:process";
import { type AppRouter, retryWhenBusy, type Tokens } from "@carillon/client";
import { type SessionId, streamName, tenantIdOf } from "@carillon/domain";
import { connectEventLog } from "@carillon/platform";
import { carillonJson, temporaryFolder, up } from "@carillon/testkit";
import { createTRPCClient, httpLink } from "@trpc/client";
import { expect, onTestFinished, test } from "vitest";
import { createClient, createOperatorClient } from "./operator/operator-client.ts";
import { findPlatform } from "./operator/platform-address.ts";
import { readPlatformFile } from "./up/folder/platform-file.ts";

const tenant = "riverside-high";
const tenantId = tenantIdOf(tenant);
const password = "correct horse battery staple";
const students = Array.from({ length: 60 }, (_, index) => `student-${index}`);
const early = 40;

const partOf = (token: string, index: number) =>
  JSON.parse(Buffer.from(token.split(".")[index] ?? "", "base64url").toString());
const kidOf = ({ accessToken }: Tokens): string => partOf(accessToken, 0).kid;
const sessionOf = ({ accessToken }: Tokens): SessionId => partOf(accessToken, 1).sid;

test("a storm in which auth is killed and its key rotated loses no accepted session and logs nobody out", async () => {
  const data = temporaryFolder();
  const url = await up(data).ready;
  const atPlatform = findPlatform({ data, env: {} });
  const operator = await createOperatorClient(atPlatform, null);
  await operator.tenants.enroll.mutate({
    name: "Riverside High",
    slug: tenant,
    region: "local",
    tier: "shared",
    timeZone: "Europe/London",
    locale: "en-GB",
    branding: { colour: "#1a2b3c", logoUrl: null },
  });
  const atSchool = await createOperatorClient(atPlatform, tenantId);
  for (const username of students) {
    await atSchool.people.enroll.mutate({ username, name: username, roles: ["student"], password });
  }

  const { auth } = createTRPCClient<AppRouter>({
    links: [retryWhenBusy({ patienceMs: 120_000 }), httpLink({ url: `${url}/trpc` })],
  });
  const accepted: Tokens[] = [];
  let over = false;
  const killed = Promise.withResolvers<void>();
  const storm = Promise.all(
    students.map(async (username, index) => {
      // However quick the first ones are let in, these still have to be when `auth` is gone.
      if (index >= early) await killed.promise;
      let newest: Tokens = await auth.login.mutate({ tenant, username, password });
      accepted.push(newest);
      while (!over) newest = await auth.refresh.mutate({ refreshToken: newest.refreshToken });
      return newest;
    }),
  );
  storm.catch(() => {});

  await expect.poll(() => accepted.length, { interval: 1 }).toBeGreaterThan(early / 2);
  process.kill(readPlatformFile(data)?.processes.auth?.pid ?? 0, "SIGKILL");
  killed.resolve();
  const acceptedBefore = accepted.length;
  await expect.poll(() => accepted.length).toBeGreaterThan(acceptedBefore);
  const { kid } = await carillonJson<{ kid: string }>("keys", "rotate", "access", "--now", "--data", data);
  await expect.poll(() => accepted.length).toBe(students.length);
  over = true;
  const newest = await storm;

  expect(newest.map(sessionOf).toSorted()).toEqual(accepted.map(sessionOf).toSorted());
  for (const tokens of [...newest, ...accepted]) {
    expect(await createClient(url, tokens.accessToken).people.me.query()).toMatchObject({
      userId: tokens.userId,
    });
  }
  const renewed = await Promise.all(newest.map(({ refreshToken }) => auth.refresh.mutate({ refreshToken })));
  expect(new Set(renewed.map(kidOf))).toEqual(new Set([kid]));
  expect(kidOf(accepted[0] as Tokens)).not.toBe(kid);

  const log = connectEventLog(atPlatform.eventstoreUrl);
  onTestFinished(() => log.close());
  const eventsOf = async (tokens: Tokens) => {
    const types: string[] = [];
    for await (const { type } of log.readStream(streamName("session", tenantId, sessionOf(tokens))))
      types.push(type);
    return types;
  };
  for (const tokens of accepted) await expect.poll(() => eventsOf(tokens)).toEqual(["LoggedIn"]);
});

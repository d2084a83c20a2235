import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { refreshTokens } from "@carillon/api/refresh-token";
import { newSessionId, openSessions, type Session } from "@carillon/api/sessions";
import type { AppRouter } from "@carillon/client";
import { instantOf, personDecider, tenantIdOf, userIdOf } from "@carillon/domain";
import { connectBus, connectEventLog, type EventLog, type Position } from "@carillon/platform";
import { projectionStatus } from "@carillon/projections";
import { hash } from "@node-rs/argon2";
import { createTRPCClient, httpLink } from "@trpc/client";
import pMap from "p-map";
import { appendsInFlight, enrollPerson, enrollSchool, region } from "../harness/enroll.ts";
import { startOwnPlatform } from "../harness/platform.ts";
import { isReturning, password, slug, usernameOf } from "./school.ts";
import type { Side } from "./side.ts";

export interface Carillon extends Side {
  /** The `auth` worker itself, behind the gateway. */
  readonly authUrl: string;
  /** Everybody's password, hashed. */
  readonly passwordHash: string;
  /** The superuser's address of its Postgres. */
  readonly postgresUrl: string;
  stop(): Promise<void>;
}

const tenantId = tenantIdOf(slug);

/**
 * Starts the whole platform as `carillon up` does, with `students` enrolled straight through the event log. All have one
 * password and one hash: checking it costs the same, and making so many would only measure the set-up. Who has been here
 * before has a session.
 */
export async function startCarillon(folder: string, students: number): Promise<Carillon> {
  const { platform, ports, secrets, ...addresses } = await startOwnPlatform(folder);
  const log = connectEventLog(addresses.eventstoreUrl);
  await enrollSchool(log, slug);
  await enrollPerson(log, tenantId, "head", "admin", await hash(password));
  const passwordHash = await hashAsThePlatformDoes(platform.url, log);
  const enroll = (username: string) => enrollPerson(log, tenantId, username, "student", passwordHash);
  const numbers = Array.from({ length: students }, (_, student) => student);
  const enrolled = await pMap(numbers, (student) => enroll(usernameOf(student)), {
    concurrency: appendsInFlight,
  });
  const positions = enrolled.map(({ position }) => position);
  await untilProjected(addresses.projectorUrls, positions.toSorted((a, b) => Number(b - a))[0] ?? 0n);
  log.close();

  const bus = await connectBus(addresses.natsUrl, "bench");
  const sessions = openSessions(bus);
  const { make } = refreshTokens(secrets.REFRESH_TOKEN_KEY ?? "");
  const now = instantOf(new Date());
  const tokens = await pMap(
    numbers,
    async (student) => {
      if (!isReturning(student)) return null;
      const ref = { tenantId, userId: userIdOf(tenantId, usernameOf(student)), sessionId: newSessionId() };
      const session: Session = { generation: 0, rotatedAt: now, roles: ["student"], region };
      return make({ ...ref, session, revision: await sessions.create(ref, session) });
    },
    { concurrency: appendsInFlight },
  );
  await bus.close();
  const file = join(folder, "carillon-tokens.json");
  writeFileSync(file, JSON.stringify(tokens));

  return {
    url: platform.url,
    authUrl: `http://127.0.0.1:${ports.auth}`,
    tokens: file,
    passwordHash,
    postgresUrl: addresses.postgresUrl,
    pids: () => platform.pids(),
    stop: () => platform.stop(),
  };
}

/** The hash that the platform makes of the password, with its own parameters: the head enrols a person with it. */
async function hashAsThePlatformDoes(url: string, log: EventLog): Promise<string> {
  const clientWith = (headers: Record<string, string>) =>
    createTRPCClient<AppRouter>({ links: [httpLink({ url: `${url}/trpc`, headers })] });
  const { accessToken } = await clientWith({}).auth.login.mutate({
    tenant: slug,
    username: "head",
    password,
  });
  const { userId } = await clientWith({ authorization: `Bearer ${accessToken}` }).people.enroll.mutate({
    username: "sample",
    name: "Sample",
    roles: ["student"],
    password,
  });
  const { state } = await log.load(personDecider, tenantId, userId);
  if (!state?.passwordHash) throw new Error("the platform has made no hash");
  return state.passwordHash;
}

/** Waits until the read models of people have everybody: what is left of the set-up must not be measured. */
async function untilProjected(
  { live, auth }: { live: string; auth: string },
  position: Position,
): Promise<void> {
  const reached = async (url: string, name: string) =>
    (await projectionStatus(url)).some(
      ({ projection, position: at }) => projection === name && at !== null && BigInt(at) >= position,
    );
  while (!((await reached(live, "directory")) && (await reached(auth, "credentials")))) await delay(100);
}

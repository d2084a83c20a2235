import { connectBus, connectEventLog, openContent } from "@carillon/platform";
import { startOwnPlatform } from "../../harness/platform.ts";
import { enrollSchools } from "../enroll-schools.ts";
import { countDuplicated, countLost, handInsIn } from "../in-the-log.ts";
import type { Schools } from "../schools.ts";
import type { Side } from "./side.ts";

export interface Carillon extends Side {
  /** The `api` worker itself, behind the gateway. */
  readonly apiUrl: string;
  /** The secret `AUTH_SIGNING_KEYS`. */
  readonly signingKeys: string;
  /** The superuser's address of its Postgres. */
  readonly postgresUrl: string;
}

/** Starts the whole platform as `carillon up` does, with the schools enrolled. */
export async function startCarillon(folder: string, schools: Schools): Promise<Carillon> {
  const { platform, ports, secrets, eventstoreUrl, natsUrl, postgresUrl } = await startOwnPlatform(folder);
  const log = connectEventLog(eventstoreUrl);
  await enrollSchools(log, schools);
  return {
    url: platform.url,
    apiUrl: `http://127.0.0.1:${ports.api}`,
    signingKeys: secrets.AUTH_SIGNING_KEYS ?? "",
    postgresUrl,
    pids: () => platform.pids(),
    async judge(acknowledged) {
      const bus = await connectBus(natsUrl, "bench");
      const logged = await handInsIn(log)();
      const lost = await countLost(logged, openContent(bus), acknowledged);
      await bus.close();
      return { lost, duplicated: countDuplicated(logged) };
    },
    async stop() {
      log.close();
      await platform.stop();
    },
  };
}

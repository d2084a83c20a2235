import { setTimeout as delay } from "node:timers/promises";
import { connectBus, connectEventLog, openContent } from "@carillon/platform";
import { type Figure, figure } from "../../harness/figures.ts";
import { startOwnPlatform } from "../../harness/platform.ts";
import type { StormSetting } from "../../harness/storm.ts";
import { accessTokens } from "../access-tokens.ts";
import { enrollSchools } from "../enroll-schools.ts";
import {
  type Acknowledged,
  countDuplicated,
  countLost,
  handInsIn,
  type LoggedHandIns,
} from "../in-the-log.ts";
import { schoolsOf } from "../schools.ts";
import { digestIn, submitTo } from "../submit.ts";
import { type Client, runCycle } from "./cycle.ts";
import { randomOf } from "./random.ts";
import { countReadModelWrong } from "./read-model.ts";

const handInsOfCycle = 40;
const students = 200;
/** How long somebody tries who closes the page then, and somebody who opens it again, in milliseconds. */
const patience = { short: 2_000, long: 180_000 };
/** A client breaks a connection that has not answered in so long, in milliseconds, and sends again. */
const answerTimeoutMs = 1_500;
/** How long views and grades may take to come after the last kill, in milliseconds. */
const settleMs = 180_000;

/**
 * Processes of a running platform are killed at random under a flood, cycle after cycle. After each, every client that
 * holds a receipt must find exactly that in the log and its content, and every client without one must get one.
 */
export async function submissionChaos({
  quick,
  seed,
  folder,
  say,
}: StormSetting): Promise<readonly Figure[]> {
  const cycles = quick ? 20 : 200;
  say(`seed ${seed}`);
  const random = randomOf(seed);
  const schools = schoolsOf(students);
  const { platform, secrets, ...addresses } = await startOwnPlatform(folder);
  const log = connectEventLog(addresses.eventstoreUrl, { patienceMs: patience.long });
  await enrollSchools(log, schools);

  const tokenOf = accessTokens(secrets.AUTH_SIGNING_KEYS ?? "");
  const clientWith = (patienceMs: number) =>
    submitTo({ url: platform.url, tokenOf, patienceMs, answerTimeoutMs });
  const clients = { submit: clientWith(patience.short), submitPatiently: clientWith(patience.long) };

  const lostOf = async (logged: LoggedHandIns, acknowledged: readonly Acknowledged[]) => {
    const bus = await connectBus(addresses.natsUrl, "bench");
    try {
      return await countLost(logged, openContent(bus), acknowledged);
    } finally {
      await bus.close();
    }
  };

  const readLog = handInsIn(log);
  const acknowledged: Acknowledged[] = [];
  const totals = { kills: 0, interrupted: 0, contradicted: 0, withoutReceipt: 0, lost: 0 };
  for (let cycle = 0; cycle < cycles; cycle++) {
    const handIns = Array.from({ length: handInsOfCycle }, (_, n) =>
      schools.handIn(cycle * handInsOfCycle + n),
    );
    const result = await runCycle(platform, clients, handIns, random);
    const promised = acknowledgedBy(result.clients);
    const lost = await lostOf(await readLog(), promised);
    say(
      `cycle ${cycle + 1} of ${cycles}: killed ${result.kills.join(", ")}; ${result.interrupted} tried again` +
        `, ${handIns.length - promised.length} without a receipt, ${lost} lost`,
    );
    acknowledged.push(...promised);
    totals.kills += result.kills.length;
    totals.interrupted += result.interrupted;
    totals.contradicted += result.contradicted;
    totals.withoutReceipt += handIns.length - promised.length;
    totals.lost += lost;
  }

  say("comparing everything");
  // From its first event once more: what was there must still be there.
  const readAgain = handInsIn(log);
  const end = await settled(async () => {
    const logged = await readAgain();
    const ungraded = [...logged.values()].filter(({ scores }) => scores.length !== 1).length;
    return { logged, ungraded, wrong: await countReadModelWrong(addresses.postgresUrl, logged) };
  });
  const lostAtTheEnd = await lostOf(end.logged, acknowledged);

  log.close();
  await platform.stop();
  const count = (name: string, unit: string, value: number) => figure(name, unit, { carillon: [value] });
  return [
    count("cycles", "cycles", cycles),
    count("kills", "kills", totals.kills),
    count("acknowledged", "submissions", acknowledged.length),
    count("came-back", "clients", totals.interrupted),
    count("without-receipt", "clients", totals.withoutReceipt),
    count("other-receipt", "clients", totals.contradicted),
    count("lost", "submissions", Math.max(totals.lost, lostAtTheEnd)),
    count("duplicated", "submissions", countDuplicated(end.logged)),
    count("not-graded-once", "submissions", end.ungraded),
    count("read-model-wrong", "submissions", end.wrong),
  ];
}

const acknowledgedBy = (clients: readonly Client[]): Acknowledged[] =>
  clients.flatMap(({ handIn, receipt }) => (receipt ? [{ handIn, sha256: digestIn(receipt) }] : []));

/** Looks until nothing is left to come, or for as long as that may take; gives what it saw last. */
async function settled<Seen extends { readonly ungraded: number; readonly wrong: number }>(
  look: () => Promise<Seen>,
): Promise<Seen> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const seen = await look();
    if ((seen.ungraded === 0 && seen.wrong === 0) || performance.now() > deadline) return seen;
    await delay(500);
  }
}

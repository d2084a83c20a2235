import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Figure, figure, newRounds, quantile } from "../harness/figures.ts";
import { startWorker, type Worker } from "../harness/job.ts";
import { processorTimePerCall, timesAsText, totalOf, untilQuiet } from "../harness/processor-time.ts";
import type { StormSetting } from "../harness/storm.ts";
import { startBaseline } from "./baseline.ts";
import type { BystanderJob, BystanderResult } from "./bystander.ts";
import { startCarillon } from "./carillon.ts";
import type { CeilingJob, CeilingResult } from "./hash-ceiling.ts";
import { password } from "./school.ts";
import type { Side } from "./side.ts";
import type { StudentsJob, StudentsResult } from "./students.ts";

const FULL = {
  students: 20_000,
  rounds: 3,
  warmUpMs: 2_000,
  ms: 8_000,
  loginsInFlight: 1_000,
  refreshesInFlight: 64,
  /** From the first student at the door to the last. */
  arrivalMs: 10_000,
};
const QUICK: typeof FULL = {
  students: 400,
  rounds: 1,
  warmUpMs: 500,
  ms: 1_500,
  loginsInFlight: 50,
  refreshesInFlight: 16,
  arrivalMs: 500,
};

/** Of the bystander. */
const readsPerSecond = 50;

const main = (name: string) => join(import.meta.dirname, `${name}.ts`);

/** A side with the users that drive it, each in a process of its own. */
interface Driven extends Side {
  readonly name: "carillon" | "baseline";
  readonly students: Worker<StudentsJob, StudentsResult>;
  readonly bystander: Worker<BystanderJob, BystanderResult>;
}

/**
 * 8:59. The whole platform behind its gateway, the baseline, and the machine's raw rate of argon2id take turns on the same
 * cores.
 */
export async function loginStorm({ quick, folder, say }: StormSetting): Promise<readonly Figure[]> {
  const scale = quick ? QUICK : FULL;
  say(`starting the platform and enrolling ${scale.students} students`);
  const carillon = await startCarillon(folder, scale.students);
  const baseline = await startBaseline(folder, scale.students, {
    url: carillon.postgresUrl,
    pid: () => carillon.pids().postgres ?? 0,
  });
  const ceiling = startWorker<CeilingJob, CeilingResult>(main("hash-ceiling"), [
    carillon.passwordHash,
    password,
  ]);
  const sides = [drive("carillon", carillon), drive("baseline", baseline)] as const;

  const rates = { logins: newRounds(), refreshes: newRounds() };
  const cpu = newRounds();
  const bystanders = { idle: newRounds(), storm: newRounds() };
  const mixed = { seconds: newRounds(), failed: newRounds() };
  for (let round = 0; round < scale.rounds; round++) {
    say(`round ${round + 1} of ${scale.rounds}`);
    const raw = await ceiling.do({ ms: scale.ms });
    rates.logins.ceiling.push(raw.perSecond);
    cpu.ceiling.push(raw.cpuMs);
    // Each side goes first every other round, so that neither always has the warmer machine.
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const logins = await measureLogins(side, scale, say);
      rates.logins[side.name].push(logins.perSecond);
      cpu[side.name].push(logins.cpuMs);
      rates.refreshes[side.name].push(await measureRefreshes(side, side.url, scale, say));
      const reads = await measureBystander(side, scale, say);
      bystanders.idle[side.name].push(reads.idle);
      bystanders.storm[side.name].push(reads.storm);
      const storm = await measureMixed(side, scale, say);
      mixed.seconds[side.name].push(storm.seconds);
      mixed.failed[side.name].push(storm.failed);
    }
  }
  say("once more past the gateway, at the auth worker itself");
  await measureRefreshes(sides[0], carillon.authUrl, scale, say);

  await Promise.all(
    [ceiling, ...sides.flatMap((side) => [side.students, side.bystander])].map((it) => it.stop()),
  );
  await baseline.stop();
  await carillon.stop();
  return [
    figure("password-logins-per-second", "1/s", rates.logins),
    figure("refreshes-per-second", "1/s", rates.refreshes),
    figure("mixed-storm-seconds", "s", mixed.seconds),
    figure("mixed-storm-failed", "students", mixed.failed),
    figure("cpu-ms-per-login", "ms", cpu),
    figure("bystander-p99-idle-ms", "ms", bystanders.idle),
    figure("bystander-p99-storm-ms", "ms", bystanders.storm),
  ];
}

type Scale = typeof FULL;
type Say = StormSetting["say"];

const drive = (name: Driven["name"], side: Side): Driven => ({
  ...side,
  name,
  students: startWorker(main("students"), [side.tokens]),
  bystander: startWorker(main("bystander"), [side.url]),
});

/** All passwords: the rate, and the processor time of everything that a login leads to, on all processes. */
async function measureLogins(side: Driven, { loginsInFlight, warmUpMs, ms }: Scale, say: Say) {
  const job = { kind: "logins", url: side.url, inFlight: loginsInFlight, warmUpMs, ms } as const;
  const { result, cpuMs } = await processorTimePerCall(side.pids, () => side.students.do(job));
  const perSecond = (result.measured * 1000) / result.ms;
  say(
    `${side.name}: ${perSecond.toFixed(1)} logins/s${notes(result)}; ms of processor a login: ${timesAsText(cpuMs)}`,
  );
  return { perSecond, cpuMs: totalOf(cpuMs) };
}

async function measureRefreshes(
  side: Driven,
  url: string,
  { refreshesInFlight, warmUpMs, ms }: Scale,
  say: Say,
): Promise<number> {
  const job = { kind: "refreshes", url, inFlight: refreshesInFlight, warmUpMs, ms } as const;
  const { result, cpuMs } = await processorTimePerCall(side.pids, () => side.students.do(job));
  const perSecond = (result.measured * 1000) / result.ms;
  say(
    `${side.name}: ${perSecond.toFixed(0)} refreshes/s${notes(result)}; ms of processor each: ${timesAsText(cpuMs)}`,
  );
  return perSecond;
}

/** How long a read takes that 99 of 100 do not exceed: alone, and while everybody comes in with a password. */
async function measureBystander(side: Driven, { loginsInFlight, warmUpMs, ms }: Scale, say: Say) {
  await untilQuiet(side.pids);
  await side.bystander.do({ kind: "log-in" });
  await side.bystander.do({ kind: "read", perSecond: readsPerSecond, ms: warmUpMs });
  const idle = await side.bystander.do({ kind: "read", perSecond: readsPerSecond, ms });
  const logins = side.students.do({
    kind: "logins",
    url: side.url,
    inFlight: loginsInFlight,
    warmUpMs,
    ms,
  });
  await delay(warmUpMs);
  const storm = await side.bystander.do({ kind: "read", perSecond: readsPerSecond, ms });
  const { measured } = await logins;
  const [idleMs, stormMs] = [quantile(idle.latencies, 0.99), quantile(storm.latencies, 0.99)];
  say(
    `${side.name}: the bystander's p99 ${idleMs.toFixed(1)} ms idle, ${stormMs.toFixed(1)} ms in the storm ` +
      `(median ${quantile(storm.latencies, 0.5).toFixed(1)} ms, ${idle.failed} and ${storm.failed} reads failed, ${measured} logins)`,
  );
  return { idle: idleMs, storm: stormMs };
}

async function measureMixed(side: Driven, { students, arrivalMs }: Scale, say: Say) {
  await untilQuiet(side.pids);
  const result = await side.students.do({ kind: "mixed", url: side.url, students, arrivalMs });
  const seconds = result.ms / 1000;
  say(`${side.name}: ${students} students, mixed, in ${seconds.toFixed(1)} s${notes(result)}`);
  return { seconds, failed: result.failed };
}

function notes({ failed, failures, waits, repeats }: StudentsResult): string {
  const remarks = [
    ...(failed > 0 ? [`${failed} failed: ${JSON.stringify(failures)}`] : []),
    ...(waits > 0 ? [`asked to wait ${waits} times`] : []),
    ...(repeats > 0 ? [`${repeats} tries without an answer`] : []),
  ];
  return remarks.length === 0 ? "" : ` (${remarks.join(", ")})`;
}

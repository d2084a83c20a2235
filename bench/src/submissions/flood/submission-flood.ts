import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Figure, figure, newRounds, quantile } from "../../harness/figures.ts";
import { startWorker, type Worker } from "../../harness/job.ts";
import { startServer } from "../../harness/processes.ts";
import { processorTimePerCall, timesAsText, totalOf, untilQuiet } from "../../harness/processor-time.ts";
import type { StormSetting } from "../../harness/storm.ts";
import { type Schools, schoolsOf } from "../schools.ts";
import { startBaseline } from "./baseline.ts";
import { startCarillon } from "./carillon.ts";
import type { Side } from "./side.ts";
import type { StudentsJob, StudentsResult, StudentsSetting } from "./students.ts";

const FULL = { students: 10_000, rounds: 3, warmUpMs: 5_000, ms: 10_000, inFlight: 256 };
const QUICK: typeof FULL = { students: 400, rounds: 1, warmUpMs: 500, ms: 1_500, inFlight: 32 };
type Scale = typeof FULL;
type Say = StormSetting["say"];

/** The share of its capacity at which it is measured how long a confirmation takes. */
const steadyShare = 0.8;

const EVENT_STORE = fileURLToPath(import.meta.resolve("@carillon/eventstore-node/main"));
const STUDENTS = join(import.meta.dirname, "students.ts");

/** A side with its students, which are a process of their own. */
interface Driven extends Pick<Side, "url" | "pids"> {
  readonly name: StudentsSetting["side"];
  readonly students: Worker<StudentsJob, StudentsResult>;
}

/** Everything that the storm starts. */
interface Contest {
  readonly carillon: Awaited<ReturnType<typeof startCarillon>>;
  readonly baseline: Side;
  readonly driven: readonly Driven[];
  stop(): Promise<void>;
}

/**
 * 23:59. The whole platform behind its gateway, the baseline, and raw durable appends of the same events take turns on
 * the same cores.
 */
export async function submissionFlood({ quick, folder, say }: StormSetting): Promise<readonly Figure[]> {
  const scale = quick ? QUICK : FULL;
  const schools = schoolsOf(scale.students);
  say(`starting the platform and enrolling ${scale.students} students`);
  const contest = await startContest(folder, schools, scale);
  say("warming up");
  for (const side of contest.driven) await measureCapacity(side, side.url, scale, say);
  const measured = await measureRounds(contest.driven, scale, say);
  const [first] = contest.driven;
  if (first) {
    say("once more past the gateway, at the api worker itself");
    await measureCapacity(first, contest.carillon.apiUrl, scale, say);
  }
  say("reading everything back");
  const judged = await judge(contest, folder, schools, say);
  await contest.stop();
  return [...measured, ...judged];
}

async function startContest(folder: string, schools: Schools, { students }: Scale): Promise<Contest> {
  const carillon = await startCarillon(folder, schools);
  const baseline = await startBaseline(folder, schools, {
    url: carillon.postgresUrl,
    pid: () => carillon.pids().postgres ?? 0,
  });
  const events = join(folder, "ceiling");
  mkdirSync(events);
  const ceiling = await startServer(EVENT_STORE, ["--dir", events, "--port", "0"]);

  const studentsOf = (side: StudentsSetting["side"]) => {
    const { signingKeys } = carillon;
    const setting = { side, students, acknowledged: acknowledgedFile(folder, side), signingKeys };
    return startWorker<StudentsJob, StudentsResult>(STUDENTS, [
      JSON.stringify(setting satisfies StudentsSetting),
    ]);
  };
  const driven: readonly Driven[] = [
    { ...carillon, name: "carillon", students: studentsOf("carillon") },
    { ...baseline, name: "baseline", students: studentsOf("baseline") },
    {
      name: "ceiling",
      url: ceiling.url,
      pids: () => ({ eventstore: ceiling.pid }),
      students: studentsOf("ceiling"),
    },
  ];
  return {
    carillon,
    baseline,
    driven,
    async stop() {
      await Promise.all(driven.map(({ students }) => students.stop()));
      await ceiling.stop();
      await baseline.stop();
      await carillon.stop();
    },
  };
}

/** In every round each side's capacity, then how long its confirmations take at a share of it. */
async function measureRounds(driven: readonly Driven[], scale: Scale, say: Say): Promise<readonly Figure[]> {
  const rates = newRounds();
  const cpu = newRounds();
  const confirm = { p50: newRounds(), p99: newRounds() };
  for (let round = 0; round < scale.rounds; round++) {
    say(`round ${round + 1} of ${scale.rounds}`);
    // Each side goes first in its turn, so that none always has the warmer machine.
    for (const side of driven.map((_, index) => driven[(index + round) % driven.length])) {
      if (!side) continue;
      const capacity = await measureCapacity(side, side.url, scale, say);
      rates[side.name].push(capacity.perSecond);
      cpu[side.name].push(totalOf(capacity.cpuMs));
      const latencies = await measureConfirmations(side, capacity.perSecond * steadyShare, scale, say);
      confirm.p50[side.name].push(quantile(latencies, 0.5));
      confirm.p99[side.name].push(quantile(latencies, 0.99));
    }
  }
  return [
    figure("accepted-per-second", "1/s", rates),
    figure("confirm-p50-ms", "ms", confirm.p50),
    figure("confirm-p99-ms", "ms", confirm.p99),
    figure("cpu-ms-per-submission", "ms", cpu),
  ];
}

/** What was acknowledged against what each side has stored. */
async function judge(
  { carillon, baseline }: Contest,
  folder: string,
  schools: Schools,
  say: Say,
): Promise<readonly Figure[]> {
  const lost = newRounds();
  const duplicated = newRounds();
  for (const [name, side] of Object.entries({ carillon, baseline }) as ["carillon" | "baseline", Side][]) {
    const acknowledged = acknowledgedIn(acknowledgedFile(folder, name), schools);
    const verdict = await side.judge(acknowledged);
    say(
      `${name}: ${acknowledged.length} acknowledged, ${verdict.lost} lost, ${verdict.duplicated} duplicated`,
    );
    lost[name].push(verdict.lost);
    duplicated[name].push(verdict.duplicated);
  }
  return [figure("lost", "submissions", lost), figure("duplicated", "submissions", duplicated)];
}

/** Where the students of a side write down what was acknowledged to them. */
const acknowledgedFile = (folder: string, side: StudentsSetting["side"]) =>
  join(folder, `acknowledged-by-${side}.ndjson`);

/** How many are accepted in a second at most, and the processor time of everything that one leads to. */
async function measureCapacity(side: Driven, url: string, { inFlight, warmUpMs, ms }: Scale, say: Say) {
  const job = { kind: "capacity", url, inFlight, warmUpMs, ms } as const;
  const { result, cpuMs } = await processorTimePerCall(side.pids, () => side.students.do(job));
  const perSecond = (result.measured * 1000) / result.ms;
  say(
    `${side.name}: ${perSecond.toFixed(0)} accepted/s${notes(result)}; ms of processor each: ${timesAsText(cpuMs)}`,
  );
  return { perSecond, cpuMs };
}

/** How long confirmations take at a rate that it can bear, from when each request was due. */
async function measureConfirmations(side: Driven, perSecond: number, { ms }: Scale, say: Say) {
  await untilQuiet(side.pids);
  const result = await side.students.do({ kind: "steady", url: side.url, perSecond, ms });
  const p = (share: number) => quantile(result.latencies, share).toFixed(1);
  say(
    `${side.name}: at ${perSecond.toFixed(0)}/s a confirmation takes p50 ${p(0.5)} ms, p99 ${p(0.99)} ms` +
      `, at most ${p(1)} ms${notes(result)}`,
  );
  return result.latencies;
}

function acknowledgedIn(file: string, schools: Schools) {
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => {
    const [n, sha256] = JSON.parse(line) as [number, string];
    return { handIn: schools.handIn(n), sha256 };
  });
}

function notes({ failures, waits, repeats }: StudentsResult): string {
  const failed = Object.keys(failures).length > 0;
  const remarks = [
    ...(failed ? [`failed: ${JSON.stringify(failures)}`] : []),
    ...(waits > 0 ? [`asked to wait ${waits} times`] : []),
    ...(repeats > 0 ? [`${repeats} tries without an answer`] : []),
  ];
  return remarks.length === 0 ? "" : ` (${remarks.join(", ")})`;
}

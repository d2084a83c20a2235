import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { classCode, importOulad, usernameOf } from "@carillon/cli/oulad/import-oulad";
import { type OuladTables, readTables } from "@carillon/cli/oulad/tables";
import {
  assignmentDecider,
  assignmentIdOf,
  classIdOf,
  type Instant,
  instantOf,
  tenantIdOf,
  userIdOf,
} from "@carillon/domain";
import { connectBus, connectEventLog, type EventLog, openContent } from "@carillon/platform";
import pMap from "p-map";
import { appendsInFlight, setUpContext } from "../../harness/enroll.ts";
import { type Figure, figure, quantile } from "../../harness/figures.ts";
import { startOwnPlatform } from "../../harness/platform.ts";
import { untilQuiet } from "../../harness/processor-time.ts";
import type { StormSetting } from "../../harness/storm.ts";
import { accessTokens } from "../access-tokens.ts";
import { type HandIn, nameOf } from "../hand-in.ts";
import { type Acknowledged, countDuplicated, countLost, handInsIn } from "../in-the-log.ts";
import { digestIn, type Submit, submitTo } from "../submit.ts";
import { compress } from "./compressed-day.ts";
import { busiestDeadlineDays, type DeadlineDay, type RealHandIn } from "./deadline-days.ts";

const FULL = { days: 10, lengthMs: 60_000, oneOf: 1 };
/** One of 10 students, since the time is shorter by as much. */
const QUICK: typeof FULL = { days: 2, lengthMs: 6_000, oneOf: 10 };
type Scale = typeof FULL;

const slug = "open-university";
const tenantId = tenantIdOf(slug);
/** How long before a day begins its assignments are published, in milliseconds. */
const leadMs = 5_000;
const patienceMs = 60_000;

/** The busiest real deadline days of OULAD, each compressed into a minute. */
export async function ouladDeadlines({ quick, folder, say }: StormSetting): Promise<readonly Figure[]> {
  const scale = quick ? QUICK : FULL;
  const tables = await readTables(datasetFolder());
  const days = busiestDeadlineDays(tables, scale.days).map((day) => thinnedOut(day, scale));
  const { platform, secrets, eventstoreUrl, natsUrl } = await startOwnPlatform(folder);
  const log = connectEventLog(eventstoreUrl);
  const registrations = registrationsOf(tables, days);
  say(`enrolling ${registrations.length} registrations`);
  await importOulad(
    log,
    slug,
    { ...tables, registrations, assessments: [], submissions: [] },
    new Date(),
    () => {},
  );
  const tokenOf = accessTokens(secrets.AUTH_SIGNING_KEYS ?? "");
  const submit = submitTo({ url: platform.url, tokenOf, patienceMs });

  const replays: Replay[] = [];
  for (const day of days) {
    await untilQuiet(() => platform.pids());
    const replay = await replayDay(log, submit, day, scale);
    replays.push(replay);
    const { sent, confirmed, latencies, peak } = replay;
    say(
      `${day.date}: ${sent.length} handed in, ${sent.filter(({ late }) => late).length} of them late, ` +
        `${confirmed.length} confirmed, at most ${peak} due in a second, p99 ${p99(latencies).toFixed(1)} ms`,
    );
  }

  say("reading everything back");
  const bus = await connectBus(natsUrl, "bench");
  const logged = await handInsIn(log)();
  const lost = await countLost(
    logged,
    openContent(bus),
    replays.flatMap(({ confirmed }) => confirmed),
  );
  const sent = replays.flatMap((replay) => replay.sent);
  const latenessWrong = sent.filter(({ handIn, late }) =>
    logged.get(nameOf(handIn))?.commits.some((commit) => commit.late !== late),
  ).length;
  await bus.close();
  log.close();
  await platform.stop();

  const each = (name: string, unit: string, value: (replay: Replay) => number) =>
    figure(name, unit, { carillon: replays.map(value) });
  const total = (name: string, value: number) => figure(name, "submissions", { carillon: [value] });
  return [
    total("handed-in", sent.length),
    total("late", sent.filter(({ late }) => late).length),
    total("unconfirmed", sent.length - replays.flatMap(({ confirmed }) => confirmed).length),
    total("lost", lost),
    total("duplicated", countDuplicated(logged)),
    total("lateness-wrong", latenessWrong),
    each("confirm-p99-ms", "ms", ({ latencies }) => p99(latencies)),
    each("peak-per-second", "1/s", ({ peak }) => peak),
  ];
}

const p99 = (latencies: readonly number[]) => quantile(latencies, 0.99);

/** Where the dataset is. Throws where it is not. */
function datasetFolder(): string {
  const folder = resolve(
    process.env.OULAD_DIR ?? join(import.meta.dirname, "../../../../../shared/data/oulad"),
  );
  if (existsSync(folder)) return folder;
  throw new Error(`the OULAD dataset is not in ${folder}: set OULAD_DIR to the folder of its tables`);
}

const thinnedOut = (day: DeadlineDay, { oneOf }: Scale): DeadlineDay => ({
  ...day,
  handIns: day.handIns.filter(({ student }) => Number(student) % oneOf === 0),
});

/** Of those who hand in, and that they stay: some did so after the day on which they left. */
function registrationsOf(tables: OuladTables, days: readonly DeadlineDay[]): OuladTables["registrations"] {
  const nameIn = (row: Parameters<typeof classCode>[0], student: string) => `${classCode(row)}/${student}`;
  const wanted = new Set(
    days.flatMap(({ handIns }) => handIns.map(({ assessment, student }) => nameIn(assessment, student))),
  );
  return tables.registrations
    .filter((row) => wanted.has(nameIn(row, row.id_student)))
    .map((row) => ({ ...row, date_unregistration: null }));
}

interface Replay {
  readonly sent: readonly { readonly handIn: HandIn; readonly late: boolean }[];
  readonly confirmed: readonly Acknowledged[];
  /** From when each was due to be sent to its receipt, in milliseconds. */
  readonly latencies: readonly number[];
  /** The most that were due within one second. */
  readonly peak: number;
}

async function replayDay(
  log: EventLog,
  submit: Submit,
  day: DeadlineDay,
  { lengthMs }: Scale,
): Promise<Replay> {
  const startMs = Date.now() + leadMs;
  const { sentAt, dueAt } = compress(day, startMs, lengthMs);
  const assignments = new Map(day.handIns.map((real) => [real.assessment.id_assessment, real]));
  await pMap(
    assignments.values(),
    (real) => {
      const due = dueAt(real);
      return publish(log, real, day.date, due === null ? null : instantOf(new Date(due)));
    },
    { concurrency: appendsInFlight },
  );
  if (Date.now() > startMs) throw new Error("the assignments were not published before their day began");

  const confirmed: Acknowledged[] = [];
  const latencies: number[] = [];
  const sent = day.handIns.map((real) => ({
    handIn: handInOf(real, day.date),
    late: real.late,
    at: sentAt(real),
  }));
  await Promise.all(
    sent.map(async ({ handIn, at }) => {
      await delay(Math.max(at - Date.now(), 0));
      const receipt = await submit(handIn).catch(() => undefined);
      latencies.push(Date.now() - at);
      if (receipt !== undefined) confirmed.push({ handIn, sha256: digestIn(receipt) });
    }),
  );
  const inSecond = Map.groupBy(sent, ({ at }) => Math.floor((at - startMs) / 1000));
  return {
    sent,
    confirmed,
    latencies,
    peak: Math.max(...[...inSecond.values()].map(({ length }) => length)),
  };
}

const classOf = ({ assessment }: RealHandIn) => classIdOf(tenantId, classCode(assessment));

/** An assessment is an assignment of its own on each day that is replayed: each has its own due time. */
const codeOf = ({ assessment }: RealHandIn, date: string) => `${assessment.id_assessment} on ${date}`;

async function publish(log: EventLog, real: RealHandIn, date: string, dueAt: Instant | null): Promise<void> {
  const code = codeOf(real, date);
  const classId = classOf(real);
  const { assessment_type: kind, weight } = real.assessment;
  const profile = {
    code,
    title: `${kind} ${code}`,
    kind,
    weight,
    latePolicy: { kind: "accept" },
    graceSeconds: 0,
    counts: "last",
    answerKey: null,
  } as const;
  const at = instantOf(new Date());
  const command = { type: "PublishAssignment", classId, classOpened: true, profile, dueAt, at } as const;
  await log.execute(assignmentDecider, tenantId, assignmentIdOf(classId, code), [
    { command, context: setUpContext(tenantId) },
  ]);
}

const handInOf = (real: RealHandIn, date: string): HandIn => ({
  tenantId,
  studentId: userIdOf(tenantId, usernameOf(real.student)),
  assignmentId: assignmentIdOf(classOf(real), codeOf(real, date)),
  key: "oulad",
  content: Buffer.from(`Work of student ${real.student} for ${codeOf(real, date)}\n`),
});

import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Linux counts in hundredths of a second, on every architecture that we run on. */
const tickMs = 10;

interface Stat {
  readonly parent: number;
  /** User and system time, its own and of its children that have ended. */
  readonly ms: number;
}

/** Undefined for a process that has gone. See proc_pid_stat(5). */
function statOf(pid: number): Stat | undefined {
  let line: string;
  try {
    line = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The second field, the name, may hold spaces and parentheses: count from its end.
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number) as [number, number, number, number];
  return { parent: Number(fields[1]), ms: (utime + stime + cutime + cstime) * tickMs };
}

/** The processor time in milliseconds of each named process with all that descends from it. Only Linux tells. */
export function processorTime<Name extends string>(
  roots: Readonly<Record<Name, number>>,
): Record<Name, number> {
  const stats = new Map<number, Stat>();
  for (const entry of readdirSync("/proc")) {
    const stat = /^\d+$/.test(entry) ? statOf(Number(entry)) : undefined;
    if (stat) stats.set(Number(entry), stat);
  }
  const times = Object.fromEntries(Object.keys(roots).map((name) => [name, 0])) as Record<Name, number>;
  const nameOf = new Map((Object.entries(roots) as [Name, number][]).map(([name, pid]) => [pid, name]));
  for (const [pid, { ms }] of stats) {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = stats.get(at)?.parent) {
      const name = nameOf.get(at);
      if (name === undefined) continue;
      times[name] += ms;
      break;
    }
  }
  return times;
}

/** Milliseconds of processor time by the process's name. */
export type Times = Readonly<Record<string, number>>;
/** The processes by name, at this moment. */
type Pids = () => Readonly<Record<string, number>>;

const quietMs = 500;
/** The heartbeats of a whole platform that does nothing take up to a quarter of a slow core. */
const quietShare = 0.35;

/** Waits until the processes use less than a third of a core: what one part leads to is not the next one's. */
export async function untilQuiet(pids: Pids): Promise<void> {
  for (let before = totalOf(processorTime(pids())); ; ) {
    await delay(quietMs);
    const now = totalOf(processorTime(pids()));
    if (now - before < quietMs * quietShare) return;
    before = now;
  }
}

/** What `work` costs each process until all are quiet again, divided by how many calls it says that it made. */
export async function processorTimePerCall<Result extends { readonly total: number }>(
  pids: Pids,
  work: () => Promise<Result>,
): Promise<{ result: Result; cpuMs: Times }> {
  await untilQuiet(pids);
  const before: Times = processorTime(pids());
  const result = await work();
  await untilQuiet(pids);
  const after = Object.entries(processorTime(pids()));
  return {
    result,
    cpuMs: Object.fromEntries(after.map(([name, ms]) => [name, (ms - (before[name] ?? 0)) / result.total])),
  };
}

export const totalOf = (times: Times): number => Object.values(times).reduce((total, ms) => total + ms, 0);

/** The total and what each process has of it. */
export const timesAsText = (times: Times): string =>
  `${totalOf(times).toFixed(2)} (${Object.entries(times)
    .filter(([, ms]) => ms >= 0.005)
    .map(([name, ms]) => `${name} ${ms.toFixed(2)}`)
    .join(", ")})`;

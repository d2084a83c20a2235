import { readdirSync, readFileSync } from "node:fs";

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

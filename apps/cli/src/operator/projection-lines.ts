import type { PartitionProgress } from "@carillon/projections";

/**
 * Says how each projection is in a line: its name and version, where it has stopped, and how far behind the partition is
 * that has the farthest to go.
 */
export function projectionLines(partitions: readonly PartitionProgress[], now: Date): string[] {
  const projections = Map.groupBy(partitions, ({ projection, version }) => `${projection} v${version}`);
  return [...projections].map(([name, own]) => {
    const stops = own.flatMap(stopOf);
    const going = own.filter(({ stoppedAt }) => !stoppedAt);
    const progress = going.length > 0 ? progressOf(going, now) : [];
    return `${name}: ${[...stops, ...progress].join("; ")}`;
  });
}

function stopOf({ partition, stoppedAt }: PartitionProgress): string[] {
  if (!stoppedAt) return [];
  const { position, eventType, stream, revision, error } = stoppedAt;
  return [
    `STOPPED in partition ${partition} at position ${position}: ${eventType}, ${stream} revision ${revision}: ${error}`,
  ];
}

function progressOf(partitions: readonly PartitionProgress[], now: Date): string[] {
  const known = partitions.filter((each): each is Known => each.behind !== null);
  const unknown = partitions.filter(({ behind }) => behind === null).map(({ partition }) => partition);
  if (known.length === 0) return ["how far behind is not known, for the event bus does not say"];
  const [worst] = known.toSorted((a, b) => b.behind - a.behind) as [Known];
  return [
    worst.behind === 0 ? "up to date" : behindOf(worst, now),
    ...(unknown.length === 0 ? [] : [`how far behind is not known of partition ${unknown.join(", ")}`]),
  ];
}

type Known = PartitionProgress & { readonly behind: number };

function behindOf({ partition, behind, created }: Known, now: Date): string {
  const count = `${behind} ${behind === 1 ? "event" : "events"} behind in partition ${partition}`;
  if (created === null) return `${count}, which has none yet`;
  const seconds = Math.max(0, Math.round((now.getTime() - created.getTime()) / 1_000));
  return `${count}, whose last is ${seconds} s old`;
}

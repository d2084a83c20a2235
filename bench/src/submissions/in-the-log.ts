import type { Instant } from "@carillon/domain";
import {
  type ContentStore,
  type EventLog,
  type Position,
  type RecordedEvent,
  readStored,
} from "@carillon/platform";
import pMap from "p-map";
import { digestOf, type HandIn, nameOf } from "./hand-in.ts";

/** Everything that the log says of one hand-in. */
export interface LoggedHandIn {
  /** The digest of each commit: of one that is right there is one. */
  readonly commits: { readonly sha256: string; readonly at: Instant; readonly late: boolean }[];
  received: number;
  readonly scores: number[];
}

/** Every hand-in by its name. */
export type LoggedHandIns = ReadonlyMap<string, LoggedHandIn>;

/** A reader of hand-ins: each call takes what the log has more by now, and gives all. */
export function handInsIn(log: Pick<EventLog, "readAll">): () => Promise<LoggedHandIns> {
  const found = new Map<string, LoggedHandIn>();
  /** Of each stream: only the commit says the client's key. */
  const names = new Map<string, string>();
  let after: Position | undefined;
  const take = (event: RecordedEvent) => {
    if (event.type === "SubmissionCommitted") {
      const { content, committedAt, late } = event.data;
      const name = nameOf(event.data);
      names.set(event.stream, name);
      const known = found.get(name) ?? { commits: [], received: 0, scores: [] };
      known.commits.push({ sha256: content.sha256, at: committedAt, late });
      found.set(name, known);
    }
    const handIn = found.get(names.get(event.stream) ?? "");
    if (handIn && event.type === "SubmissionReceived") handIn.received++;
    if (handIn && event.type === "SubmissionGraded") handIn.scores.push(event.data.score);
  };
  return async () => {
    for await (const stored of log.readAll(after)) {
      if (stored.stream.startsWith("submission-")) take(readStored(stored));
      after = stored.position;
    }
    return found;
  };
}

/** What a student holds a receipt for: the digest in it. */
export interface Acknowledged {
  readonly handIn: HandIn;
  readonly sha256: string;
}

const readsInFlight = 64;

/**
 * Counts the receipts whose promise is not kept: the log does not have exactly this digest as received, or the content
 * cannot be read back byte for byte.
 */
export async function countLost(
  logged: LoggedHandIns,
  content: Pick<ContentStore, "get">,
  acknowledged: Iterable<Acknowledged>,
): Promise<number> {
  let lost = 0;
  const check = async ({ handIn, sha256 }: Acknowledged) => {
    const found = logged.get(nameOf(handIn));
    const promised = digestOf(handIn.content) === sha256;
    const kept = found?.commits.some((commit) => commit.sha256 === sha256) && found.received > 0;
    const stored = promised && kept ? await content.get(handIn.tenantId, sha256) : undefined;
    if (!stored || !handIn.content.equals(stored)) lost++;
  };
  await pMap(acknowledged, check, { concurrency: readsInFlight });
  return lost;
}

/** Counts the hand-ins that are there more than once. */
export const countDuplicated = (logged: LoggedHandIns): number =>
  [...logged.values()].filter(({ commits, received }) => commits.length > 1 || received > 1).length;

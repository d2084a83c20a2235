import type { Transaction } from "lmdb";
import { recordHeader, recordPosition, recordRevision } from "../record.ts";
import { decodeHead, decodePosition, type StreamHead } from "../store.ts";
import type { Tables } from "../store-file.ts";
import { metastreamOf } from "../stream-metadata.ts";

/** Hears what a check finds, as it finds it. */
export interface Findings {
  /** Something is damaged: what and where. */
  damage(text: string): void;
  /** All is checked up to here. */
  reached(where: string): void;
}

const PROGRESS_EVERY = 1000;

/**
 * Checks every event, index entry and stream head in one snapshot. Each event is found in the slot that it names, there
 * are as many slots as events, and the heads claim as many revisions as there are slots: so each table has all that the
 * others have, and nothing else, without a list of streams in memory.
 */
export function checkTables(tables: Tables, findings: Findings): { events: number; streams: number } {
  const transaction = tables.root.useReadTransaction();
  try {
    const snapshot = new Snapshot(tables, transaction, findings);
    const { events, inStreams, tombstones } = snapshot.checkEvents();
    const slots = snapshot.checkIndex();
    if (slots !== inStreams) findings.damage(`the index has ${slots} entries for ${inStreams} events`);
    const { streams, revisions, ended } = snapshot.checkHeads();
    if (revisions !== slots) {
      findings.damage(`the heads of all streams count ${revisions} revisions, the index ${slots}`);
    }
    if (ended !== tombstones) {
      findings.damage(`${ended} streams are tombstoned by their head, ${tombstones} by an event`);
    }
    return { events, streams };
  } finally {
    transaction.done();
  }
}

class Snapshot {
  readonly #tables: Tables;
  readonly #transaction: Transaction;
  readonly #findings: Findings;

  constructor(tables: Tables, transaction: Transaction, findings: Findings) {
    this.#tables = tables;
    this.#transaction = transaction;
    this.#findings = findings;
  }

  checkEvents(): { events: number; inStreams: number; tombstones: number } {
    let last = 0;
    let events = 0;
    let tombstones = 0;
    for (const { key: position, value } of this.#tables.events.getRange({ transaction: this.#transaction })) {
      if (position !== last + 1) {
        this.#findings.damage(`the log goes on with position ${position} after position ${last}`);
        // The tree is not even in order: reading on could go in circles.
        if (!(position > last)) break;
      }
      last = position;
      events++;
      if (value === undefined) {
        this.#findings.damage(`the event at position ${position} does not match its checksum`);
      } else if (this.#checkEvent(position, value) === "tombstone") tombstones++;
      if (events % PROGRESS_EVERY === 0) this.#findings.reached(`position ${position} of the log`);
    }
    return { events, inStreams: events - tombstones, tombstones };
  }

  #checkEvent(position: number, record: Buffer): "event" | "tombstone" {
    const { stream } = recordHeader(record);
    const revision = recordRevision(record);
    const kind = revision === Number.MAX_SAFE_INTEGER ? "tombstone" : "event";
    const head = this.#head(stream);
    const problem = this.#problemOf(position, recordPosition(record), kind, revision, head);
    if (problem !== undefined) {
      this.#findings.damage(`the event at position ${position} (stream ${quote(stream)}): ${problem}`);
    }
    return kind;
  }

  #problemOf(
    position: number,
    named: number,
    kind: "event" | "tombstone",
    revision: number,
    head: StreamHead | undefined,
  ): string | undefined {
    if (named !== position) return `it says that it is at position ${named}`;
    if (head === undefined) return "its stream has no head";
    if (kind === "tombstone") return head.tombstoned ? undefined : "its stream is not tombstoned";
    if (revision > head.last) return `its revision ${revision} is past its stream's last, ${head.last}`;
    const slot = this.#slot(head.number, revision);
    if (slot === position) return undefined;
    return `the index has ${slot === undefined ? "nothing" : `position ${slot}`} for its revision ${revision}`;
  }

  /** The number of entries. Revisions of a stream have no gaps, and rise with their positions. */
  checkIndex(): number {
    let stream = 0;
    let revision = -1;
    let position = 0;
    let entries = 0;
    for (const { key, value } of this.#tables.index.getRange({ transaction: this.#transaction })) {
      const [nextStream, nextRevision] = key;
      const nextPosition = decodePosition(value);
      const isSame = nextStream === stream;
      if (nextStream < stream || nextRevision !== (isSame ? revision + 1 : 0)) {
        const where = `revision ${revision} of stream number ${stream}`;
        this.#findings.damage(`the index goes on with ${nextRevision} of ${nextStream} after ${where}`);
        if (nextStream < stream || (isSame && nextRevision <= revision)) break;
      } else if (isSame && nextPosition <= position) {
        this.#findings.damage(
          `the index has revision ${nextRevision} of stream number ${stream} out of order`,
        );
      }
      stream = nextStream;
      revision = nextRevision;
      position = nextPosition;
      entries++;
      if (entries % PROGRESS_EVERY === 0) this.#findings.reached(`entry ${entries} of the index`);
    }
    return entries;
  }

  checkHeads(): { streams: number; revisions: number; ended: number } {
    let streams = 0;
    let revisions = 0;
    let ended = 0;
    for (const { key: name, value } of this.#tables.heads.getRange({ transaction: this.#transaction })) {
      const head = decodeHead(value);
      streams++;
      revisions += head.last + 1;
      if (head.tombstoned) ended++;
      const problem = this.#headProblem(name, head);
      if (problem !== undefined) this.#findings.damage(`the head of stream ${quote(name)}: ${problem}`);
      if (streams % PROGRESS_EVERY === 0) this.#findings.reached(`the head of stream ${quote(name)}`);
    }
    return { streams, revisions, ended };
  }

  #headProblem(name: string, head: StreamHead): string | undefined {
    if (head.last >= 0 && this.#slot(head.number, head.last) === undefined) {
      return `the index does not have its last revision, ${head.last}`;
    }
    if (head.number > 0 && this.#slot(head.number, head.last + 1) !== undefined) {
      return `the index has a revision past its last, ${head.last}`;
    }
    const metadata = this.#head(metastreamOf(name));
    const described = metadata === undefined ? undefined : this.#slot(metadata.number, metadata.last);
    if ((described ?? 0) === head.metadataPosition) return undefined;
    return `its metadata is at position ${described ?? 0}, not ${head.metadataPosition}`;
  }

  #head(stream: string): StreamHead | undefined {
    const stored = this.#tables.heads.get(stream, { transaction: this.#transaction });
    return stored && decodeHead(stored);
  }

  #slot(streamNumber: number, revision: number): number | undefined {
    const stored = this.#tables.index.get([streamNumber, revision], { transaction: this.#transaction });
    return stored && decodePosition(stored);
  }
}

function quote(stream: string): string {
  return JSON.stringify(stream);
}

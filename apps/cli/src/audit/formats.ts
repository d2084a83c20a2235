import type { DomainEvent } from "@carillon/domain";
import type { RecordedEvent } from "@carillon/platform";
import { stringify } from "csv-stringify/sync";

/** How a history can be written. `json` is one document, the others have an event a line. */
export const formats = ["text", "ndjson", "csv", "json"] as const;
export type Format = (typeof formats)[number];

/** The columns of a table. Those from `assignmentId` on come out of `data` and are empty where it has none. */
export const csvColumns = [
  "position",
  "created",
  "occurredAt",
  "type",
  "stream",
  "revision",
  "eventId",
  "actor",
  "correlationId",
  "causationId",
  "assignmentId",
  "classId",
  "studentId",
  "key",
  "sha256",
  "late",
  "score",
  "data",
] as const;

/**
 * Writes events, piece by piece. Password hashes are left out: nobody needs one to audit. In a table, text that a
 * spreadsheet would take for a formula begins with an apostrophe.
 */
export async function* written(format: Format, events: AsyncIterable<RecordedEvent>): AsyncGenerator<string> {
  const { head, between, tail, event: write } = writers[format];
  yield head;
  let first = true;
  for await (const event of events) {
    const text = write({ ...event, data: withoutSecrets(event) } as RecordedEvent);
    yield first ? text : between + text;
    first = false;
  }
  yield tail;
}

interface Writer {
  readonly head: string;
  readonly between: string;
  readonly tail: string;
  readonly event: (event: RecordedEvent) => string;
}

const csvRow = (row: readonly unknown[]) =>
  stringify([row as unknown[]], {
    escape_formulas: true,
    record_delimiter: "windows",
    cast: { boolean: String },
  });

const asJson = (event: RecordedEvent) => JSON.stringify({ ...event, position: event.position.toString() });

const writers: Record<Format, Writer> = {
  text: { head: "", between: "", tail: "", event: (event) => `${asLine(event)}\n` },
  ndjson: { head: "", between: "", tail: "", event: (event) => `${asJson(event)}\n` },
  json: { head: "[", between: ",\n", tail: "]\n", event: asJson },
  csv: {
    head: csvRow(csvColumns),
    between: "",
    tail: "",
    event: (event) => {
      const row = asRow(event);
      return csvRow(csvColumns.map((column) => row[column]));
    },
  },
};

const asLine = (event: RecordedEvent) =>
  [
    event.revision,
    `position ${event.position}`,
    event.metadata.occurredAt,
    `written ${event.created}`,
    event.type,
    `by ${event.metadata.actor}`,
    JSON.stringify(event.data),
  ].join("  ");

function asRow(event: RecordedEvent): Partial<Record<(typeof csvColumns)[number], unknown>> {
  const { id, type, stream, revision, position, created, metadata, data } = event;
  return {
    // What the data says of itself first: nothing in it can take the place of what the log says.
    ...data,
    ...("content" in data && { sha256: data.content.sha256 }),
    position: position.toString(),
    created,
    occurredAt: metadata.occurredAt,
    type,
    stream,
    revision,
    eventId: id,
    actor: metadata.actor,
    correlationId: metadata.correlationId,
    causationId: metadata.causationId,
    data: JSON.stringify(data),
  };
}

const withoutSecrets = ({ data }: DomainEvent) => ("hash" in data ? { ...data, hash: "(not shown)" } : data);

/** The settings that EventStoreDB keeps as JSON in the stream `$$<stream>`, as far as reads and writes obey them. */

/** The `$tb` (truncate before) of a soft-deleted stream: the largest signed 64-bit integer. */
const DELETED_FROM = 2 ** 63;

/** Data of the `$metadata` event that soft-deletes a stream. */
export const SOFT_DELETE_DATA: Uint8Array = Buffer.from('{"$tb":9223372036854775807}');

/** Which events of a stream readers still see. */
export interface Retention {
  /** The first revision that is kept. */
  readonly truncateBefore: number;
  /** How many of the last events are kept. */
  readonly maxCount: number;
  /** How old an event may get, in seconds. */
  readonly maxAge: number;
}

const KEEP_ALL: Retention = { truncateBefore: 0, maxCount: Infinity, maxAge: Infinity };
const KEEP_LAST: Retention = { ...KEEP_ALL, maxCount: 1 };

/** The name of the stream that holds the metadata of `stream`. */
export function metastreamOf(stream: string): string {
  return `$$${stream}`;
}

/** The stream that `metastream` describes, or undefined when it is no metadata stream. */
export function describedBy(metastream: string): string | undefined {
  return metastream.startsWith("$$") ? metastream.slice(2) : undefined;
}

/** What to keep of `stream`, given the data of the last event in its metadata stream, if there is one. */
export function retentionOf(stream: string, metadata: Uint8Array | undefined): Retention {
  if (describedBy(stream) !== undefined) return KEEP_LAST;
  if (metadata === undefined) return KEEP_ALL;
  const settings = parseObject(metadata);
  return {
    truncateBefore: wholeNumber(settings.$tb, 0) ?? 0,
    maxCount: wholeNumber(settings.$maxCount, 1) ?? Infinity,
    maxAge: wholeNumber(settings.$maxAge, 1) ?? Infinity,
  };
}

/** Whether the stream is soft-deleted: nothing of it is visible, but it can be written again. */
export function isSoftDeleted(retention: Retention): boolean {
  return retention.truncateBefore >= DELETED_FROM;
}

/** The same metadata for a stream that starts again at `firstRevision`. */
export function recreatedFrom(metadata: Uint8Array | undefined, firstRevision: number): Uint8Array {
  const settings = metadata === undefined ? {} : parseObject(metadata);
  return Buffer.from(JSON.stringify({ ...settings, $tb: firstRevision }));
}

function wholeNumber(value: unknown, least: number): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= least ? value : undefined;
}

/** The object in JSON. Malformed metadata counts as none, as on the real server. */
export function parseObject(json: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(json).toString());
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}

import { CarillonError } from "@carillon/domain";

/** Which part of content a request brings: `bytes` from `offset` on; none for a request that only asks how it stands. */
export interface UploadRange {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Reads a `Content-Range` (RFC 9110, 14.4) of content with `total` bytes: `bytes 0-4194303/9000000`, or with a star in place of the
 * numbers for no part at all. Undefined where there is none: the request brings everything. Throws `malformed` or `content_too_large`.
 */
export function readRange(header: string | undefined, total: number): UploadRange | "none" | undefined {
  if (header === undefined) return undefined;
  const match = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15}|\*)$/.exec(header.trim());
  if (!match) throw malformed('use a Content-Range such as "bytes 0-4194303/9000000"');
  const [, first, last, stated] = match;
  if (stated !== "*" && Number(stated) !== total) {
    throw malformed(`the Content-Range is of ${stated} bytes, ${total} were committed`);
  }
  if (first === undefined) return "none";
  const [offset, end] = [Number(first), Number(last)];
  if (end < offset) throw malformed("the Content-Range ends before it begins");
  if (end >= total) {
    throw new CarillonError(
      "content_too_large",
      `The part ends behind the ${total} bytes that were committed.`,
    );
  }
  return { offset, bytes: end - offset + 1 };
}

const malformed = (what: string) => new CarillonError("malformed", `The upload is not right: ${what}.`);

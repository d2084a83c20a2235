import { XMLParser } from "fast-xml-parser";
import { z } from "zod";

/** An object as S3 lists it. */
export interface S3Object {
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

/** A page of a listing. */
export interface S3Page {
  readonly objects: S3Object[];
  /** Asks for the next page; undefined after the last. */
  readonly next: string | undefined;
}

const parser = new XMLParser({ parseTagValue: false, isArray: (name) => name === "Contents" });

const Listing = z.object({
  ListBucketResult: z.object({
    Contents: z
      .array(z.object({ Key: z.string(), Size: z.coerce.number(), LastModified: z.coerce.date() }))
      .default([]),
    NextContinuationToken: z.string().optional(),
  }),
});

const Problem = z.object({ Error: z.object({ Code: z.string() }) });

/** Reads an answer to `list-type=2`. Throws where it is none. */
export function readPage(xml: string): S3Page {
  const { Contents, NextContinuationToken } = Listing.parse(parser.parse(xml)).ListBucketResult;
  return {
    objects: Contents.map(({ Key, Size, LastModified }) => ({
      key: Key,
      bytes: Size,
      modifiedAt: LastModified,
    })),
    next: NextContinuationToken,
  };
}

/** S3's code for why it refused something. */
export function codeIn(problem: string): string {
  try {
    return Problem.parse(parser.parse(problem)).Error.Code;
  } catch {
    return "no reason given";
  }
}

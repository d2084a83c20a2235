import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { CarillonError, type Content, maxFileNameLength, maxInlineBytes } from "@carillon/domain";
import { z } from "zod";

/** The name without a path: some clients send where the file was on their disk. */
export const FileName = z
  .string()
  .transform((path) => path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1).trim())
  .pipe(
    z
      .string()
      .min(1, "name the file")
      .max(maxFileNameLength)
      .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, "use no control characters")
      .regex(/^(?!\.{1,2}$)/, "name a file, not a folder"),
  );

/** A media type as in `Content-Type`, with parameters if need be. */
export const MediaType = z
  .string()
  .max(maxFileNameLength)
  .regex(/^[\w.+-]+\/[\w.+-]+(?:\s*;\s*[\w.+-]+=[\w.+"-]+)*$/, "use a media type such as application/pdf");

/** A file as it comes in a request. */
export const FileInput = z.object(
  {
    name: FileName,
    mediaType: MediaType,
    base64: z.base64("send the file's bytes as base64"),
  },
  "attach the file that you hand in",
);
export type FileInput = z.output<typeof FileInput>;

/** A SHA-256 in hexadecimal digits. */
export const Sha256 = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{64}$/, "use a SHA-256 of 64 hexadecimal digits");

/**
 * The file's bytes and what is said of them in the log. Throws `content_missing`, `content_too_large` or
 * `content_digest_mismatch`.
 *
 * @param expected the digest that the client computed, if it did
 */
export function readFile(
  { name, mediaType, base64 }: FileInput,
  expected: string | undefined,
): { bytes: Uint8Array; content: Content } {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length === 0) {
    throw new CarillonError("content_missing", "The file is empty: choose the one you mean to hand in.");
  }
  if (bytes.length > maxInlineBytes) {
    throw new CarillonError(
      "content_too_large",
      `The file has ${bytes.length} bytes; at most ${maxInlineBytes} can be handed in this way.`,
    );
  }
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (expected !== undefined && expected !== sha256) {
    throw new CarillonError(
      "content_digest_mismatch",
      "The file did not arrive as it was sent: send it again with its own SHA-256.",
    );
  }
  return { bytes, content: { sha256, bytes: bytes.length, name, mediaType } };
}

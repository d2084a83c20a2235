import process from "node:process";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const pieceLength = 65_536;

/**
 * Prints text as fast as it is read and no faster, so that memory does not grow with it. Ends without an error where
 * the reader has gone, as it does behind `| head`.
 */
export async function print(text: AsyncIterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(gathered(text)), process.stdout);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
  }
}

/** A write for each line would cost more than the line. */
async function* gathered(text: AsyncIterable<string>): AsyncGenerator<string> {
  let piece = "";
  for await (const part of text) {
    piece += part;
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = "";
  }
  if (piece) yield piece;
}

import { Buffer } from "node:buffer";
import { maxInlineBytes } from "@carillon/domain";
import { expect, test } from "vitest";
import { FileInput, readFile } from "./file-input.ts";

const file = (text: string | Buffer, name = "essay.txt") =>
  FileInput.parse({ name, mediaType: "text/plain", base64: Buffer.from(text).toString("base64") });

const refused = (code: string) => expect.objectContaining({ code });

test("a file is known by the digest of its bytes", () => {
  expect(readFile(file("abc"), undefined).content).toEqual({
    // The example of FIPS 180-4.
    sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    bytes: 3,
    name: "essay.txt",
    mediaType: "text/plain",
  });
});

test("an empty, a too large and a damaged file are refused, each as what it is", () => {
  expect(() => readFile(file(""), undefined)).toThrow(refused("content_missing"));
  expect(() => readFile(file(Buffer.alloc(maxInlineBytes + 1)), undefined)).toThrow(
    refused("content_too_large"),
  );
  expect(readFile(file(Buffer.alloc(maxInlineBytes)), undefined).content.bytes).toBe(maxInlineBytes);
  expect(() => readFile(file("abc"), "0".repeat(64))).toThrow(refused("content_digest_mismatch"));
});

test.each([
  ["C:\\Users\\ada\\essay.txt", "essay.txt"],
  ["../../etc/passwd", "passwd"],
  ["essay of ä.txt", "essay of ä.txt"],
])("the name %j is kept as %j", (given, kept) => {
  expect(file("abc", given).name).toBe(kept);
});

test.each(["", "..", "a/", "essay\u0000.txt", "essay\n.txt", "essay\u202etxt.exe", "x".repeat(256)])(
  "the name %j is refused",
  (name) => {
    const input = { name, mediaType: "text/plain", base64: "YWJj" };
    expect(FileInput.safeParse(input).success).toBe(false);
  },
);

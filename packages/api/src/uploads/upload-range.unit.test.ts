import { expect, test } from "vitest";
import { readRange } from "./upload-range.ts";

test.each([
  [undefined, undefined],
  ["bytes */100", "none"],
  ["bytes 0-99/100", { offset: 0, bytes: 100 }],
  ["bytes 40-40/*", { offset: 40, bytes: 1 }],
])("%j is read", (header, range) => {
  expect(readRange(header, 100)).toEqual(range);
});

test.each([
  ["bytes 0-99", "malformed"],
  ["bytes 0-/100", "malformed"],
  ["bytes 9-1/100", "malformed"],
  ["bytes -5-9/100", "malformed"],
  ["bytes 0-9/101", "malformed"],
  ["bytes */99", "malformed"],
  ["lines 0-9/100", "malformed"],
  ["bytes 0-9999999999999999999/100", "malformed"],
  ["", "malformed"],
  ["bytes 0-100/100", "content_too_large"],
])("%j is refused", (header, code) => {
  expect(() => readRange(header, 100)).toThrow(expect.objectContaining({ code }));
});

import { expect, test } from "vitest";
import { codeIn, readPage } from "./s3-answers.ts";

const object = (key: string, size: number) => `<Contents><Key>${key}</Key>
  <LastModified>2026-09-01T08:59:00.123Z</LastModified><ETag>&quot;ab&quot;</ETag><Size>${size}</Size>
  <StorageClass>STANDARD</StorageClass></Contents>`;
const listing = (...parts: string[]) => `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>content</Name>${parts.join("")}</ListBucketResult>`;
const modifiedAt = new Date("2026-09-01T08:59:00.123Z");

test("a page of many objects, of one and of none is read, with what asks for the next", () => {
  const token = "<NextContinuationToken>1ueG+/=&amp;</NextContinuationToken>";
  expect(readPage(listing(object("a/1", 10), object("a&amp;b/007", 0), token))).toEqual({
    objects: [
      { key: "a/1", bytes: 10, modifiedAt },
      { key: "a&b/007", bytes: 0, modifiedAt },
    ],
    next: "1ueG+/=&",
  });
  expect(readPage(listing(object("0012", 5)))).toEqual({
    objects: [{ key: "0012", bytes: 5, modifiedAt }],
    next: undefined,
  });
  expect(readPage(listing())).toEqual({ objects: [], next: undefined });
});

test("what is no listing is an error, and no empty page", () => {
  expect(() => readPage("")).toThrow();
  expect(() => readPage("<html><body>502</body></html>")).toThrow();
});

test("the reason of a refusal is read, also where there is none", () => {
  expect(codeIn("<Error><Code>SlowDown</Code><Message>wait</Message></Error>")).toBe("SlowDown");
  for (const other of ["", "gateway down", "<html></html>"]) expect(codeIn(other)).toBe("no reason given");
});

import { expect, test } from "vitest";
import { RecentIds } from "./recent-ids.ts";

test("an id is found in the stream that it was written to, and in no other", () => {
  const ids = new RecentIds(10);
  ids.add("a", "one", 3, 7);
  expect(ids.find("a", "one")).toMatchObject({ revision: 3, position: 7 });
  expect(ids.find("a", "two")).toBeUndefined();
});

test("an id that is written to another stream is known there only", () => {
  const ids = new RecentIds(10);
  ids.add("a", "one", 3, 7);
  ids.add("a", "two", 0, 8);
  expect(ids.find("a", "one")).toBeUndefined();
  expect(ids.find("a", "two")).toMatchObject({ revision: 0 });
});

test("the last ids up to the limit are known, however many came before", () => {
  const ids = new RecentIds(10);
  for (let n = 0; n < 95; n++) ids.add(`id-${n}`, "one", n, n + 1);
  for (let n = 85; n < 95; n++) expect(ids.find(`id-${n}`, "one")).toMatchObject({ revision: n });
  expect(ids.find("id-70", "one")).toBeUndefined();
});

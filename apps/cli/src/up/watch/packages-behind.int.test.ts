import { basename } from "node:path";
import { manifests as api } from "@carillon/api/manifests";
import { expect, test } from "vitest";
import { packagesBehind } from "./packages-behind.ts";

test("a worker runs with its own package and all that this is built on, but not with what its tests need", () => {
  const folders = [...packagesBehind(api.reports.module)];
  expect(folders.map((folder) => basename(folder)).toSorted()).toEqual(["api", "domain", "platform"]);
});

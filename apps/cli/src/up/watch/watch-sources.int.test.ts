import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, until } from "@carillon/testkit";
import { expect, onTestFinished, test } from "vitest";
import { watchSources } from "./watch-sources.ts";

/** A watched folder with one folder in it; gives its path, how to write a file in it, and what was told so far. */
async function watchedFolder() {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "login"));
  const told: (readonly string[])[] = [];
  const watching = new AbortController();
  onTestFinished(() => watching.abort());
  const changed = (files: readonly string[]) => told.push(files.toSorted());
  const failed = (error: unknown) => expect.unreachable(String(error));
  await watchSources([folder], { changed, failed, signal: watching.signal });
  const path = (name: string) => join(folder, name);
  return { path, told, write: (name: string) => writeFileSync(path(name), "") };
}

test("files that are written together are told once, also those of folders below", async () => {
  const { path, told, write } = await watchedFolder();
  for (const name of ["ids.ts", "login/router.ts", "ids.ts"]) write(name);
  await until("they are told", () => told.length > 0);
  expect(told).toEqual([[path("ids.ts"), path("login/router.ts")]]);

  rmSync(path("ids.ts"));
  await until("the removal is told", () => told.length > 1);
  expect(told[1]).toEqual([path("ids.ts")]);
});

test("a file is told again and again, however it is saved", async () => {
  const { path, told, write } = await watchedFolder();
  write("ids.ts");
  await until("it is told", () => told.length === 1);
  for (const count of [2, 3]) {
    write("ids.new");
    renameSync(path("ids.new"), path("ids.ts"));
    await until("its replacement is told", () => told.length === count);
  }
  writeFileSync(path("ids.ts"), "export {};");
  await until("it is told when it is written again", () => told.length === 4);
});

test("tests, and what an editor leaves beside the sources, are not told", async () => {
  const { path, told, write } = await watchedFolder();
  const ignored = ["ids.unit.test.ts", "ids.test-d.ts", "ids.ts~", ".ids.ts.swp", "4913", "login/notes.md"];
  for (const name of ignored) write(name);
  write("login/router.ts");
  await until("the source is told", () => told.length > 0);
  expect(told).toEqual([[path("login/router.ts")]]);
});

test("a file in a folder that was made meanwhile is told", async () => {
  const { path, told, write } = await watchedFolder();
  mkdirSync(path("exams"));
  write("exams/router.ts");
  await until("the file is told", () => told.length > 0);
  expect(told[0]).toEqual([path("exams/router.ts")]);
});

import { carillon, carillonJson, startedPlatform } from "@carillon/testkit";
import { beforeAll, expect, test } from "vitest";
import { runSchoolDay } from "./demo.ts";
import { findPlatform } from "./operator/platform-address.ts";

let data: string;
beforeAll(async () => {
  ({ data } = await startedPlatform());
});

const schoolDay = async () => {
  const lines: string[] = [];
  await runSchoolDay(findPlatform({ data, env: {} }), data, (line) => lines.push(line));
  return lines.join("\n");
};

test("the demo's school day goes through the whole system, at every start", async () => {
  for (const day of [await schoolDay(), await schoolDay()]) {
    expect(day).toMatch(/^EnrollTenant .*demo-school/m);
    expect(day.match(/^Login /gm)).toHaveLength(2);
    expect(day).toMatch(/^Receipt +checked: sha256 [0-9a-f]{16}/m);
    expect(day).toMatch(/^Report .*1 submitted, 0 late, mean 92,/m);
  }
});

test("a submission's history is replayed from the log, one event a line", async () => {
  const day = await schoolDay();
  const id = /as submission ([0-9a-f-]{36})/.exec(day)?.[1] ?? "";
  const replay = await carillon("audit", "replay", "--submission", id, "--data", data);
  expect(replay).toMatchObject({ code: 0, stderr: "" });
  const lines = replay.stdout.trimEnd().split("\n");
  expect(lines.map((line) => /Submission\w+/.exec(line)?.[0])).toEqual([
    "SubmissionCommitted",
    "SubmissionReceived",
    "SubmissionGraded",
  ]);
  const withTenant = ["--submission", id, "--tenant", "demo-school", "--data", data];
  const events = await carillonJson<{ type: string; revision: number }[]>("audit", "replay", ...withTenant);
  expect(events.map(({ revision }) => revision)).toEqual([0, 1, 2]);
});

test("a submission that nobody made is unknown", async () => {
  const id = "0192f3a4-5b6c-7d8e-9f01-23456789abcd";
  expect(await carillon("audit", "replay", "--submission", id, "--data", data)).toEqual({
    code: 1,
    stdout: "",
    stderr: `carillon: There is no submission ${id} in the log.\n`,
  });
});

test("how far the read models are can be seen, and nothing is skipped that has not stopped", async () => {
  await schoolDay();
  const status = await carillonJson<{ projection: string; position: string | null; stoppedAt: unknown }[]>(
    "projections",
    "status",
    "--data",
    data,
  );
  const moved = status.filter(({ position }) => position !== null);
  expect(new Set(moved.map(({ projection }) => projection))).toEqual(
    new Set(["directory", "submissions", "credentials", "class_progress"]),
  );
  expect(status.every(({ stoppedAt }) => stoppedAt === null)).toBe(true);
  const { stdout } = await carillon("projections", "status", "--data", data);
  const named = stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split(":")[0]);
  expect(named.toSorted()).toEqual(["class_progress v2", "credentials v1", "directory v2", "submissions v2"]);
  const [first] = moved;
  const skip = [
    "--projection",
    first?.projection ?? "",
    "--partition",
    "0",
    "--position",
    first?.position ?? "",
  ];
  expect(await carillon("projections", "skip", ...skip, "--data", data)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("has not stopped"),
  });
});

test("wrong usage is told from failure", async () => {
  expect(await carillon("audit", "replay", "--submission", "the-best-one", "--data", data)).toMatchObject({
    code: 2,
  });
  expect(await carillon("report", "class-progress", "--class", "A", "--data", data)).toMatchObject({
    code: 2,
  });
  expect(
    await carillon("import", "oulad", "/nowhere", "--tenant", "Not A Slug", "--data", data),
  ).toMatchObject({ code: 2 });
  const missing = await carillon("import", "oulad", "/nowhere", "--tenant", "school", "--data", data);
  expect(missing).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/^carillon: There is no .*\/nowhere/m),
  });
});

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { bareEnvironment, temporaryFolder } from "@carillon/testkit";
import { describe, expect, test } from "vitest";

const carillon = (args: readonly string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, [join(import.meta.dirname, "main.ts"), ...args], {
    encoding: "utf8",
    env: { ...bareEnvironment(), ...env },
  });

describe("the exit code", () => {
  test("is 0 for help that was asked for", () => {
    expect(carillon(["up", "--help"])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("--port-base"),
    });
  });

  test.each([
    [["nonsense"], "unknown command 'nonsense'"],
    [["up", "--nonsense"], "unknown option '--nonsense'"],
    [["up", "--port-base", "12"], "whole number from 1024 to 65000"],
  ])("is 2 for wrong usage: %s", (args, message) => {
    expect(carillon(args)).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining(message) });
  });

  test("is 1 with one line when the operation fails", () => {
    const { status, stdout, stderr } = carillon(["up", "--data", temporaryFolder()], {
      DATABASE_URL: "postgres://db/live",
    });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toBe(
      "carillon: settings: AUTH_DATABASE_URL and REPORTS_DATABASE_URL are missing; the three databases are named together or not at all\n",
    );
  });
});

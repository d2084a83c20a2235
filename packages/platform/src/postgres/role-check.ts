import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { CarillonError } from "@carillon/domain";
import { exitCodeForSettings } from "../worker/settings.ts";
import { databaseFailure } from "./connection-pool.ts";
import { UnsafeRoleError } from "./tenant-scope.ts";

const retryDelayMs = 250;

/**
 * Runs `assertOwnsAndBypassesNothing` at the start of a program, again until the database answers. For a role that
 * could see past the policies it prints so and ends the program with `exitCodeForSettings`.
 */
export async function safeRoleOrExit(check: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (error instanceof UnsafeRoleError) {
        process.stderr.write(`settings: ${error.message}\n`);
        process.exit(exitCodeForSettings);
      }
      const unreachable =
        databaseFailure(error) === "unreachable" ||
        (error instanceof CarillonError && error.code === "unavailable");
      if (!unreachable) throw error;
      await delay(retryDelayMs);
    }
  }
}

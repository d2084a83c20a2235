import { onTestFinished } from "vitest";
import { startUp, type Up } from "./command-line.ts";

/** `carillon up` as an operator starts it, until the end of the test. */
export function up(data: string): Up {
  const started = startUp(data);
  onTestFinished(async () => {
    await started.stop();
  });
  return started;
}

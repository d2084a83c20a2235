import { spawn } from "node:child_process";
import { constants } from "node:os";

const forwarded = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs a program with our own standard streams and waits for its end. Signals to us go on to it, so that it
 * decides how to stop.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, PATH: string | undefined }} where `PATH` replaces ours for the child
 * @returns {Promise<number>} its exit code; 128 + the signal's number if a signal ended it
 */
export function run(command, args, { cwd, PATH }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: "inherit", env: { ...process.env, PATH } });
    const forward = (signal) => child.kill(signal);
    for (const signal of forwarded) process.on(signal, forward);
    const settle = (end) => {
      for (const signal of forwarded) process.off(signal, forward);
      end();
    };
    child.once("error", (error) => settle(() => reject(error)));
    child.once("exit", (code, signal) => settle(() => resolve(code ?? 128 + constants.signals[signal])));
  });
}

/**
 * Runs a program to its end and keeps what it prints, for one that runs beside others.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, PATH: string | undefined }} where
 * @returns {Promise<{ code: number, output: string }>} its exit code, as `run` gives it, and both its streams
 */
export function runQuietly(command, args, { cwd, PATH }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, PATH },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code: code ?? 128 + constants.signals[signal], output }));
  });
}

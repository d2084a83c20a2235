import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { connect } from "node:net";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/** A real server for a test, in a process and a temporary folder of its own. */
export interface TestServer {
  readonly url: string;
  /** Stops it and deletes its folder. */
  stop(): Promise<void>;
  /** Ends the process as a power cut does; the folder stays. */
  kill9(): Promise<void>;
  /** Starts it again, on the same port and folder; stops it first if it runs. */
  restart(): Promise<void>;
}

/** What is started, and how one knows that it answers. */
export interface ServerProcess {
  readonly url: string;
  readonly dir: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly options?: SpawnOptions;
  /** Resolves if the server answers, rejects if it does not yet. */
  readonly answers: () => Promise<void>;
}

const startTimeoutMs = 60_000;
const startAttempts = 100;

/** Starts a server and resolves when it answers. Throws with what it printed if it does not. */
export async function startServerProcess(server: ServerProcess): Promise<TestServer> {
  let child = await launch(server);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  };
  return {
    url: server.url,
    async stop() {
      await end("SIGINT");
      await rm(server.dir, { recursive: true, force: true });
    },
    kill9: () => end("SIGKILL"),
    async restart() {
      await end("SIGINT");
      child = await relaunch(server);
    },
  };
}

/** After a kill, the system may need a moment to give back what the dead process held. */
async function relaunch(server: ServerProcess): Promise<ChildProcess> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(server);
    } catch (error) {
      if (attempt === startAttempts) throw error;
      await delay(100);
    }
  }
}

async function launch({ command, args, options, answers }: ServerProcess): Promise<ChildProcess> {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  const keep = (chunk: Buffer) => {
    printed = (printed + chunk).slice(-4_000);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  let failure: Error | undefined;
  child.on("error", (error) => {
    failure = error;
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));

  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    if (failure || child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`${command} did not start: ${printed}`, { cause: failure });
    }
    try {
      await answers();
      return child;
    } catch (error) {
      if (Date.now() > deadline) {
        kill();
        throw new Error(`${command} does not answer: ${printed}`, { cause: error });
      }
      await delay(20);
    }
  }
}

/** Resolves if somebody listens on the port. */
export async function accepts(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}

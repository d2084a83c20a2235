import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";

interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** A program, its arguments and the user that the system starts it as. */
export interface Invocation {
  readonly command: string;
  readonly args: readonly string[];
  readonly user?: Ids;
}

/** The user that Postgres's programs run as here. */
export interface PostgresUser {
  /** Whose its files must be, if not ours. */
  readonly ids?: Ids;
  invoke(program: string, args: readonly string[]): Invocation;
}

/**
 * Postgres refuses to run as root. For root this gives the system user `postgres`, made if there is none;
 * for everybody else it is nobody but themselves.
 *
 * That user cannot walk into, say, `/root`. If one of `paths` lies in such a folder, the programs keep the single
 * privilege to pass by (setpriv with CAP_DAC_OVERRIDE), since a folder's permissions are not ours to change.
 *
 * @throws if they may not keep it; the message says what to do
 */
export function postgresUser(paths: readonly string[]): PostgresUser {
  if (process.getuid?.() !== 0) return { invoke: (command, args) => ({ command, args }) };
  const ids = findUser() ?? createUser();
  if (paths.every((path) => isReachable(path, ids))) {
    return { ids, invoke: (command, args) => ({ command, args, user: ids }) };
  }

  const become = [
    ...[`--reuid=${ids.uid}`, `--regid=${ids.gid}`, "--clear-groups"],
    ...["--inh-caps=+dac_override", "--ambient-caps=+dac_override"],
  ];
  try {
    execFileSync("setpriv", [...become, "true"], { stdio: "ignore" });
  } catch (error) {
    throw new Error(
      `the user postgres, which Postgres must run as when we are root, cannot enter ${paths.map(dirname).join(" or ")}; ` +
        "use a folder that everybody may enter (--data), start as another user, or set DATABASE_URL and its siblings",
      { cause: error },
    );
  }
  return { ids, invoke: (program, args) => ({ command: "setpriv", args: [...become, program, ...args] }) };
}

function findUser(): Ids | undefined {
  const id = (flag: string) =>
    Number(execFileSync("id", [flag, "postgres"], { stdio: ["ignore", "pipe", "ignore"] }));
  try {
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    return undefined;
  }
}

function createUser(): Ids {
  execFileSync("useradd", [
    "--system",
    "--user-group",
    "--no-create-home",
    "--shell",
    "/usr/sbin/nologin",
    "postgres",
  ]);
  const ids = findUser();
  if (ids === undefined) throw new Error("the user postgres was created but cannot be found");
  return ids;
}

/** Whether a user may enter every folder on the way to a path. */
function isReachable(path: string, { uid, gid }: Ids): boolean {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const { mode, uid: owner, gid: group } = statSync(folder);
    const mayEnter = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
    if ((mode & mayEnter) === 0) return false;
  }
  return true;
}

import { resolve } from "node:path";
import { type DatabaseUrls, isRunning } from "@carillon/launcher";
import { type SettingName, SettingsError, type SigningKey, settings } from "@carillon/platform";
import { engineSettings } from "../up/engines/engine-settings.ts";
import { readPlatformFile } from "../up/folder/platform-file.ts";
import { readSetting } from "../up/folder/read-setting.ts";

/** Where `carillon up` keeps a platform when it is not told. */
export const defaultFolder = ".carillon";

/** A running platform, as a command needs it. */
export interface Platform {
  /** The one address of its API. */
  readonly url: string;
  readonly eventstoreUrl: string;
  readonly natsUrl: string;
  /** Sign the tokens with which the operator's own commands come in. */
  readonly authSigningKeys: readonly SigningKey[];
  /** Its databases with the login of the projectors that fill them; undefined if the environment does not name them. */
  readonly projectorUrls: DatabaseUrls | undefined;
  /** Its processes by name; empty if it was named by the environment. */
  readonly pids: Readonly<Record<string, number>>;
}

/**
 * Finds the platform that a command is for: the one in the folder `data`; else, if `CARILLON_URL` is set, the one at
 * the environment's addresses (`CARILLON_URL`, `EVENTSTORE_URL`, `NATS_URL`, `AUTH_SIGNING_KEYS`); else the one in
 * `.carillon/`.
 *
 * Throws an error that says what to do if none runs there, and `SettingsError` if an address is missing or wrong.
 */
export function findPlatform({ data, env }: { data?: string | undefined; env: NodeJS.ProcessEnv }): Platform {
  return data === undefined && env.CARILLON_URL
    ? fromEnvironment(env)
    : fromFolder(resolve(data ?? defaultFolder));
}

function fromFolder(folder: string): Platform {
  const file = readPlatformFile(folder);
  if (file === undefined || !isRunning(file.supervisor)) {
    throw new Error(
      `no platform is running in ${folder}; start it with "carillon up --data ${folder}", or name another one with --data`,
    );
  }
  const { url, eventstoreUrl, natsUrl, projectorUrls, authSigningKeys, processes } = file;
  return {
    url,
    eventstoreUrl,
    natsUrl,
    projectorUrls,
    authSigningKeys: settings.AUTH_SIGNING_KEYS.parse(authSigningKeys),
    pids: Object.fromEntries(Object.entries(processes).map(([name, { pid }]) => [name, pid])),
  };
}

function fromEnvironment(env: NodeJS.ProcessEnv): Platform {
  const needed = <Name extends SettingName>(name: Name) => {
    const value = readSetting(env, name);
    if (value === undefined)
      throw new SettingsError(`settings: ${name} is missing; it is needed beside CARILLON_URL`);
    return value;
  };
  return {
    url: env.CARILLON_URL ?? "",
    eventstoreUrl: needed("EVENTSTORE_URL"),
    natsUrl: needed("NATS_URL"),
    projectorUrls: engineSettings(env).databaseUrls,
    authSigningKeys: needed("AUTH_SIGNING_KEYS"),
    pids: {},
  };
}

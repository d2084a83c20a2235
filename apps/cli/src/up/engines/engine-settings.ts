import type { DatabaseUrls } from "@carillon/launcher";
import { SettingsError } from "@carillon/platform";
import { readSetting } from "../folder/read-setting.ts";

/** The engines that the environment names; we start those that it leaves out. */
export interface EngineSettings {
  readonly eventstoreUrl: string | undefined;
  readonly natsUrl: string | undefined;
  /** Where content is kept; undefined for JetStream. */
  readonly objectsUrl: string | undefined;
  /** With the role that owns the databases and may create roles. */
  readonly databaseUrls: DatabaseUrls | undefined;
}

/** Reads the engines' addresses. Throws `SettingsError` if one is wrong, or only some of the databases are named. */
export function engineSettings(env: NodeJS.ProcessEnv): EngineSettings {
  const names = ["DATABASE_URL", "AUTH_DATABASE_URL", "REPORTS_DATABASE_URL"] as const;
  const [live, auth, reports] = names.map((name) => readSetting(env, name));
  const missing = names.filter((name) => !env[name]);
  if (missing.length > 0 && missing.length < names.length) {
    throw new SettingsError(
      `settings: ${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing; the three databases are named together or not at all`,
    );
  }
  return {
    eventstoreUrl: readSetting(env, "EVENTSTORE_URL"),
    natsUrl: readSetting(env, "NATS_URL"),
    objectsUrl: readSetting(env, "OBJECTS_URL"),
    databaseUrls: live && auth && reports ? { live, auth, reports } : undefined,
  };
}

import { type SettingName, type Settings, SettingsError, settings } from "@carillon/platform";

/**
 * One setting of an environment, or `undefined` if it is not set (an empty text counts as not set).
 *
 * @throws {SettingsError} that names it, if it is wrong
 */
export function readSetting<Name extends SettingName>(
  env: NodeJS.ProcessEnv,
  name: Name,
): Settings<Name>[Name] | undefined {
  const text = env[name];
  if (!text) return undefined;
  const { success, data, error } = settings[name].safeParse(text);
  if (!success) throw new SettingsError(`settings: ${name} ${error.issues[0]?.message}`);
  return data as Settings<Name>[Name];
}

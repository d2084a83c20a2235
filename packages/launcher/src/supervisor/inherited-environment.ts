import process from "node:process";

/** These variables of our own environment, as far as they are set. */
export const inheritedEnvironment = (...names: string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value ? [[name, value] as const] : [];
    }),
  );

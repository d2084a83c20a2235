import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";

const PackageJson = z.object({ dependencies: z.record(z.string(), z.string()).default({}) });

/** The folders of the workspace's packages that a module runs with: its own, and what that depends on, directly or not. */
export function packagesBehind(module: string): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (folder: string) => {
    if (found.has(folder)) return;
    found.add(folder);
    for (const dependency of workspaceDependencies(folder)) add(dependency);
  };
  add(packageOf(module));
  return found;
}

function packageOf(module: string): string {
  let folder = dirname(module);
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

function workspaceDependencies(folder: string): readonly string[] {
  const { dependencies } = PackageJson.parse(JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
  return Object.entries(dependencies)
    .filter(([, version]) => version.startsWith("workspace:"))
    .map(([name]) => realpathSync(join(folder, "node_modules", name)));
}

// Fails where a folder holds more source files than a reader can take in: it is then several folders.
import { sourceFiles } from "./source-files.mjs";

const most = 15;
const isTest = /\.(test|test-d)\.ts$/;

const sources = sourceFiles("*.ts", "*.tsx", "*.mjs").filter((file) => !isTest.test(file));
const folders = new Map();
for (const file of sources) {
  const folder = file.slice(0, Math.max(0, file.lastIndexOf("/")));
  folders.set(folder, (folders.get(folder) ?? 0) + 1);
}
for (const [folder, count] of folders) {
  if (count <= most) continue;
  process.stderr.write(
    `${folder} holds ${count} source files; at most ${most} fit in a folder: divide it.\n`,
  );
  process.exitCode = 1;
}

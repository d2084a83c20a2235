import { spawn, spawnSync } from "node:child_process";
import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { assignmentIdOf, classIdOf, type Instant, tenantIdOf, userIdOf } from "@carillon/domain";
import { publicKey, type Receipt, type SigningKey, signReceipt } from "@carillon/platform";
import { bareEnvironment } from "@carillon/testkit";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "carillon-receipt-"));
afterAll(() => rmSync(folder, { recursive: true }));

const written = (name: string, contents: string) => {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
};

const newKey = (kid: string) =>
  ({ ...generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" }), kid }) as SigningKey;

const essay = "It was a dark and stormy night.";
const tenantId = tenantIdOf("north");
const receipt: Receipt = {
  tenantId,
  assignmentId: assignmentIdOf(classIdOf(tenantId, "A"), "1"),
  studentId: userIdOf(tenantId, "ada"),
  key: "tab-1",
  sha256: createHash("sha256").update(essay).digest("hex"),
  committedAt: "2026-09-20T23:59:59.000Z" as Instant,
  receivedAt: null,
  stream: `submission-${tenantId}_x`,
  revision: 0,
  position: "18446744073709551615",
};

const [old, current] = [newKey("old"), newKey("current")];
const jws = signReceipt(old, receipt);
const file = written("receipt.jws", `${jws}\n`);
const jwks = written("receipts.json", JSON.stringify({ keys: [old, current].map(publicKey) }));

/** No platform, and no address of one: there is nothing in the environment but where programs are. */
const verify = (args: readonly string[], input?: string) => {
  const main = join(import.meta.dirname, "../main.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "receipt", "verify", ...args], {
    encoding: "utf8",
    cwd: folder,
    env: bareEnvironment(),
    ...(input !== undefined && { input }),
  });
  return { status, stdout, stderr };
};

const refusal = (line: string | RegExp) => ({
  status: 1,
  stdout: "",
  stderr: expect.stringMatching(line instanceof RegExp ? line : new RegExp(`^carillon: ${line}\n$`)),
});

test("a genuine receipt says what it says", () => {
  const { status, stdout, stderr } = verify([file, "--jwks", jwks]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^receipt +genuine\n/);
  for (const value of [receipt.studentId, receipt.sha256, receipt.committedAt, receipt.position]) {
    expect(stdout).toContain(value);
  }
});

test("with --json it is one document", () => {
  const { status, stdout } = verify([file, "--jwks", jwks, "--json"]);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ ...receipt, contentMatches: null });
});

test("the receipt may come on stdin, and in the answer that held it", () => {
  const answer = JSON.stringify({ submissionId: "x", receipt: jws, position: "1" });
  for (const input of [jws, answer, JSON.stringify({ result: { data: JSON.parse(answer) } })]) {
    expect(verify(["-", "--jwks", jwks], input)).toMatchObject({ status: 0, stderr: "" });
  }
});

test("a file is what was handed in, or is not", () => {
  const content = written("essay.txt", essay);
  const { status, stdout } = verify([file, "--jwks", jwks, "--content", content, "--json"]);
  expect([status, JSON.parse(stdout).contentMatches]).toEqual([0, true]);
  const other = written("other.txt", `${essay} `);
  expect(verify([file, "--jwks", jwks, "--content", other])).toEqual(
    refusal(
      `.*other.txt is not what was handed in: its SHA-256 is [0-9a-f]{64}, the receipt's is ${receipt.sha256}`,
    ),
  );
});

const changed = () => {
  const [header = "", , signature = ""] = jws.split(".");
  const forged = Buffer.from(JSON.stringify({ ...receipt, key: "tab-2" })).toString("base64url");
  return [header, forged, signature].join(".");
};

test.each([
  ["was changed", changed(), "this receipt is not genuine: its signature is not of what it says"],
  [
    "is signed by somebody else",
    signReceipt(newKey("stranger"), receipt),
    "this receipt is signed by a key that is not among the public keys",
  ],
  [
    "is signed by somebody else under our key's name",
    signReceipt(newKey("old"), receipt),
    "this receipt is not genuine: its signature is not of what it says",
  ],
  ["is none", "hello", "this is no receipt: .*"],
  ["is an empty file", "", "this is no receipt: .*"],
  ["is not even signed", "a.b.c", "this is signed text, but no receipt|this is no receipt.*"],
])("a receipt that %s is refused in one line", (_, text, line) => {
  expect(verify(["-", "--jwks", jwks], text)).toEqual(refusal(line));
});

test("files that are not there, and keys that are none, are named", () => {
  expect(verify(["nowhere", "--jwks", jwks])).toEqual(refusal(/^carillon: nowhere cannot be read: .*\n$/));
  expect(verify([file, "--jwks", "nowhere"])).toEqual(refusal(/^carillon: nowhere cannot be read: .*\n$/));
  expect(verify([file, "--jwks", file])).toEqual(refusal(/^carillon: .* holds no public keys .*\n$/));
  expect(verify([file, "--jwks", "http://127.0.0.1:9/keys"])).toEqual(
    refusal(/^carillon: the public keys cannot be read from http:.*\n$/),
  );
});

test("public keys may be at an address", async () => {
  const server = createServer((_, answer) => answer.end(JSON.stringify({ keys: [publicKey(old)] })));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const main = join(import.meta.dirname, "../main.ts");
  const address = `http://127.0.0.1:${port}/.well-known/receipts.json`;
  const running = spawn(process.execPath, [main, "receipt", "verify", file, "--jwks", address]);
  expect(await new Promise((ended) => running.on("close", ended))).toBe(0);
  server.close();
});

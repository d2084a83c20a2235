import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { instantOf } from "@carillon/domain";
import { publicKey, type Runtime, type SigningKey, verifyReceipt } from "@carillon/platform";
import {
  clientOf,
  launchWorker,
  newAssignment,
  newSigningKey,
  openSchool,
  runtimes,
  type Servers,
  settingsFor,
  startWorker,
  test,
  textFile,
  tokenFor,
} from "@carillon/testkit";
import { afterAll, describe, expect } from "vitest";

let servers: Servers;
let jwks: Server;
test.beforeAll(async ({ servers: own }) => {
  servers = own;
  jwks = createServer((_request, response) =>
    response
      .setHeader("content-type", "application/json")
      .end(JSON.stringify({ keys: [publicKey(servers.signingKey)] })),
  );
  await new Promise<void>((resolve) => jwks.listen(0, "127.0.0.1", resolve));
});
afterAll(() => void jwks?.close());

const settingsOf = (...keys: SigningKey[]) => ({
  ...settingsFor(servers, `http://127.0.0.1:${(jwks.address() as AddressInfo).port}`).api,
  RECEIPT_SIGNING_KEYS: JSON.stringify(keys),
});
/** A worker that signs receipts with these keys. */
const startApi = (runtime: Runtime, ...keys: SigningKey[]) =>
  startWorker(runtime, "api", settingsOf(...keys));
const keyOf = (receipt: string) =>
  JSON.parse(Buffer.from(receipt.split(".")[0] ?? "", "base64url").toString()).kid;
const published = async (url: string) => (await fetch(`${url}/.well-known/receipts.json`)).json();

describe.each(runtimes)("receipt keys on %s", (runtime) => {
  test("a receipt can be checked after its key was rotated away and left the settings", async () => {
    const [old, next] = [newSigningKey(`old-${runtime}`), newSigningKey(`next-${runtime}`)];
    const first = await startApi(runtime, old);
    const school = await openSchool(first.url, servers.signingKey, `receipts-${runtime}`);
    const { assignmentId } = await school.teacher.client.assignments.publish.mutate(
      newAssignment(school.classId, "TMA1"),
    );
    const handedIn = { assignmentId, key: "essay", file: textFile("my essay") };
    const { receipt } = await school.student.client.submissions.submit.mutate(handedIn);
    await first.stop();

    const second = await startApi(runtime, next);
    const keys = await published(second.url);
    expect(await verifyReceipt(receipt, keys)).toMatchObject({ assignmentId, key: "essay" });
    expect(keys.keys.map(({ kid }: { kid: string }) => kid)).toEqual(
      expect.arrayContaining([old.kid, next.kid]),
    );
    expect(JSON.stringify(keys)).not.toContain('"d"');
    await second.stop();
  });

  test("a receipt is the same text after its key was rotated away, also one that is made then for the first time", async () => {
    const old = newSigningKey(`before-${runtime}`);
    // It is to sign from before the commits on, but the log learns of it after them.
    const next = { ...newSigningKey(`after-${runtime}`), signsFrom: instantOf(new Date()) };
    const first = await startApi(runtime, old);
    const school = await openSchool(first.url, servers.signingKey, `rotated-${runtime}`);
    const { assignmentId } = await school.teacher.client.assignments.publish.mutate(
      newAssignment(school.classId, "TMA1"),
    );
    const content = Buffer.from("my essay");
    const sha256 = createHash("sha256").update(content).digest("hex");
    const submit = { assignmentId, key: "submitted", file: textFile("my essay") };
    const commit = (key: string) => ({
      ...{ assignmentId, key, sha256, bytes: content.length },
      ...{ name: "essay.txt", mediaType: "text/plain" },
    });
    const submitted = await school.student.client.submissions.submit.mutate(submit);
    const committed = await school.student.client.submissions.commit.mutate(commit("committed"));
    await first.stop();

    const second = await startApi(runtime, old, next);
    const token = await tokenFor(servers.signingKey, school.student.userId, school.tenantId, ["student"]);
    const { submissions } = clientOf(second.url, token);
    expect(await submissions.submit.mutate(submit)).toEqual(submitted);
    const again = await submissions.commit.mutate(commit("committed"));
    expect(again.receipt).toBe(committed.receipt);
    expect(again.upload?.url).toBe(committed.upload?.url);
    const uploaded = await fetch(`${second.url}${committed.upload?.url}`, {
      method: "PATCH",
      headers: {
        "tus-resumable": "1.0.0",
        "content-type": "application/offset+octet-stream",
        "upload-offset": "0",
      },
      body: content,
    });
    const receipt = uploaded.headers.get("submission-receipt") ?? "";
    expect(await submissions.receipt.query(commit("committed"))).toMatchObject({ receipt });
    const later = await submissions.commit.mutate(commit("later"));
    expect([submitted.receipt, committed.receipt, receipt, later.receipt].map(keyOf)).toEqual([
      ...[old.kid, old.kid, old.kid],
      next.kid,
    ]);
    await second.stop();
  });

  test("a worker whose key has the id of another one is not ready, and says why", async () => {
    const kid = `taken-${runtime}`;
    await (await startApi(runtime, newSigningKey(kid))).stop();
    const second = await launchWorker(runtime, "api", settingsOf(newSigningKey(kid)));
    const told = () => fetch(`${second.url}/readyz`).then((answer) => answer.text());
    await expect.poll(told).toContain(`Another key was published as "${kid}"`);
    await second.stop();
  });
});

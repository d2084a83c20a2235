import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import {
  newAssignment,
  newSlug,
  openSchool,
  refusal,
  runtimes,
  type School,
  type Servers,
  type SharedWorkers,
  sharedWorkers,
  test,
  tokenFor,
} from "@carillon/testkit";
import type { inferRouterInputs } from "@trpc/server";
import { type HttpResponse, Upload } from "tus-js-client";
import { describe, expect, onTestFinished } from "vitest";
import type { AppRouter } from "../index.ts";
import { handIn } from "./hand-in.ts";

let servers: Servers;

type AssignmentId = inferRouterInputs<AppRouter>["submissions"]["commit"]["assignmentId"];

describe.each(runtimes)("handing in on %s", (runtime) => {
  let workers: SharedWorkers;
  let school: School;
  let assignmentId: AssignmentId;
  test.beforeAll(async () => {
    workers = await sharedWorkers(runtime);
    servers = workers.servers;
    school = await openSchool(workers.gateway.url, servers.signingKey, newSlug(`hand-in-${runtime}`));
    const assignment = newAssignment(school.classId, "TMA1");
    ({ assignmentId } = await school.teacher.client.assignments.publish.mutate(assignment));
  });

  const work = (key: string, file: Uint8Array<ArrayBuffer> | Blob) => ({
    ...{ assignmentId, key, file },
    ...{ name: "essay.pdf", mediaType: "application/pdf" },
  });
  const session = (url = workers.gateway.url) => ({ client: school.student.client, url });
  const stored = async (submissionId: string) => {
    const token = await tokenFor(servers.signingKey, school.student.userId, school.tenantId, ["student"]);
    const answer = await fetch(`${workers.gateway.url}/submissions/${submissionId}/content`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return createHash("sha256")
      .update(await answer.bytes())
      .digest("hex");
  };
  const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");
  const claimsOf = (receipt: string) =>
    JSON.parse(Buffer.from(receipt.split(".")[1] ?? "", "base64url").toString());

  test.each([
    ["small", 1_000],
    ["as large as fits a request", 256 * 1024],
    ["larger", 5 * 1024 ** 2],
  ])("a file that is %s comes with a receipt that says that its content came", async (size, bytes) => {
    const content = randomBytes(bytes);
    const first = await handIn(session(), work(size, new Blob([content])));
    expect(claimsOf(first.receipt)).toMatchObject({
      sha256: sha256(content),
      receivedAt: expect.any(String),
    });
    expect(await stored(first.submissionId)).toBe(sha256(content));
    expect((await handIn(session(), work(size, content))).receipt).toBe(first.receipt);
  });

  /** An address that leads to the gateway, over connections of which each breaks after so many bytes. */
  const brittle = async (bytes: number) => {
    let broken = 0;
    const relay = createServer((client) => {
      const gateway = connect(Number(new URL(workers.gateway.url).port), "127.0.0.1");
      let left = bytes;
      client.on("data", (chunk) => {
        left -= chunk.length;
        if (left < 0) broken++;
        if (left < 0) client.destroy();
      });
      client.pipe(gateway).pipe(client);
      for (const end of [client, gateway]) {
        end.on("error", () => {});
        end.on("close", () => client.destroy() && gateway.destroy());
      }
    });
    relay.listen(0, "127.0.0.1");
    await once(relay, "listening");
    onTestFinished(() => void relay.close());
    return { url: `http://127.0.0.1:${(relay.address() as AddressInfo).port}`, broken: () => broken };
  };

  test("an upload whose connection breaks again and again goes on where it was", async () => {
    const content = randomBytes(10 * 1024 ** 2);
    const { url, broken } = await brittle(3 * 1024 ** 2);
    const steps: number[] = [];
    let committed = "";
    const { submissionId, receipt } = await handIn(session(url), work("brittle", content), {
      onCommitted: (given) => {
        committed = given;
      },
      onProgress: (bytes) => steps.push(bytes),
    });
    expect(broken()).toBeGreaterThan(1);
    expect(await stored(submissionId)).toBe(sha256(content));
    expect(claimsOf(committed)).toEqual({ ...claimsOf(receipt), receivedAt: null });
    expect(steps).toEqual([...steps].sort((one, other) => one - other));
    expect(steps.at(-1)).toBe(content.length);
  });

  /** Sends to an upload's address with tus's own client, as anybody may. */
  const sendByAddress = (uploadUrl: string, content: Buffer, retryDelays: number[]) => {
    const offsets: number[] = [];
    const sent = new Promise<HttpResponse>((resolve, reject) => {
      new Upload(content, {
        ...{ uploadUrl, retryDelays, chunkSize: 1024 ** 2 },
        onProgress: (bytes) => offsets.push(bytes),
        onSuccess: ({ lastResponse }) => resolve(lastResponse),
        onError: reject,
      }).start();
    });
    return { sent, offsets };
  };

  test("any tus client goes on with the address alone where another one's connection broke", async () => {
    const content = randomBytes(10 * 1024 ** 2);
    const { file: _, ...described } = work("tus", content);
    const { submissionId, upload } = await school.student.client.submissions.commit.mutate({
      ...described,
      ...{ sha256: sha256(content), bytes: content.length },
    });
    const { url, broken } = await brittle(3 * 1024 ** 2);
    await expect(sendByAddress(`${url}${upload?.url}`, content, []).sent).rejects.toThrow();
    expect(broken()).toBe(1);

    const other = sendByAddress(`${workers.gateway.url}${upload?.url}`, content, [100, 1_000, 5_000]);
    const receipt = (await other.sent).getHeader("Submission-Receipt") ?? "";
    // What the first one was told is stored, and perhaps some of what it was not told of.
    expect(other.offsets[0]).toBeGreaterThanOrEqual(2 * 1024 ** 2);
    expect(claimsOf(receipt)).toMatchObject({ sha256: sha256(content), receivedAt: expect.any(String) });
    expect(await stored(submissionId)).toBe(sha256(content));
  });

  test("a client that gives up while nothing gets through has the work committed, and can go on later", async () => {
    const content = randomBytes(300_000);
    const { url } = await brittle(0);
    const handing = handIn(session(url), work("later", content), { patienceMs: 1_000 });
    await expect(handing).rejects.toThrow();
    const { submissionId } = await handIn(session(), work("later", content));
    expect(await stored(submissionId)).toBe(sha256(content));
  });

  test("a page that is left sends nothing more", async () => {
    const { url } = await brittle(0);
    const leave = new AbortController();
    const handing = handIn(session(url), work("left", randomBytes(300_000)), {
      signal: leave.signal,
      onCommitted: () => leave.abort(),
    });
    await expect(handing).rejects.toThrow("aborted");
  });

  test("other content under the same key is refused with the first receipt", async () => {
    const { receipt } = await handIn(session(), work("taken", Buffer.from("one")));
    const { client } = session();
    expect(
      await refusal(handIn({ client, url: "http://127.0.0.1:1" }, work("taken", randomBytes(300_000)))),
    ).toMatchObject({ errorCode: "submission_key_taken", receipt });
  });
});

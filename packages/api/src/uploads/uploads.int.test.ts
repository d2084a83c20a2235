import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import {
  type AssignmentId,
  instantOf,
  maxUploadBytes,
  type SubmissionId,
  streamName,
  submissionDecider,
  uploadWindowMs,
} from "@carillon/domain";
import {
  type Bus,
  type ContentStore,
  commandContext,
  connectBus,
  connectEventLog,
  type EventLog,
  openContent,
  verifyReceipt,
} from "@carillon/platform";
import {
  beforeDue,
  clientOf,
  newAssignment,
  newSlug,
  openSchool,
  refusal,
  runtimes,
  type School,
  type Servers,
  type SharedWorkers,
  settingsFor,
  sharedPlatform,
  sharedWorkers,
  startWorker,
  test,
  textFile,
  tokenFor,
} from "@carillon/testkit";
import { afterAll, describe, expect } from "vitest";
import { openUploadParts } from "./upload-parts.ts";

let servers: Servers;
let eventLog: EventLog;
let bus: Bus;
let store: ContentStore;
test.beforeAll(async () => {
  const { eventstoreUrl, natsUrl } = await sharedPlatform();
  eventLog = connectEventLog(eventstoreUrl);
  bus = await connectBus(natsUrl, "test");
  store = openContent(bus);
});
afterAll(async () => {
  await eventLog?.close();
  await bus?.close();
});

const mebibyte = 1024 ** 2;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe.each(runtimes)("an upload on %s", (runtime) => {
  let workers: SharedWorkers;
  let school: School;
  let assignmentId: AssignmentId;
  let keys = 0;
  test.beforeAll(async () => {
    workers = await sharedWorkers(runtime);
    servers = workers.servers;
    school = await openSchool(workers.gateway.url, servers.signingKey, newSlug(`uploads-${runtime}`));
    const assignment = { ...newAssignment(school.classId, "TMA1"), graceSeconds: 60 };
    ({ assignmentId } = await school.teacher.client.assignments.publish.mutate(assignment));
  });

  const file = (content: Uint8Array, name = "essay.pdf") => ({
    sha256: sha256(content),
    bytes: content.length,
    name,
    mediaType: "application/pdf",
  });
  /** Commits content under a key of its own, and gives the address to send it to. */
  const commit = async (content: Uint8Array, options: { key?: string; name?: string } = {}) => {
    const key = options.key ?? `key-${++keys}`;
    const input = { assignmentId, key, ...file(content, options.name) };
    const committed = await school.student.client.submissions.commit.mutate(input);
    return { ...committed, input, key, address: `${workers.gateway.url}${committed.upload?.url}` };
  };
  const tus = { "tus-resumable": "1.0.0" };
  /** Sends what follows after the first `offset` bytes. */
  const patch = (
    address: string,
    offset: number,
    body: Uint8Array | ReadableStream | null,
    headers: Record<string, string> = {},
  ) =>
    fetch(address, {
      method: "PATCH",
      body: body as BodyInit | null,
      headers: {
        ...tus,
        "content-type": "application/offset+octet-stream",
        "upload-offset": String(offset),
        ...headers,
      },
      ...{ duplex: "half" },
    });
  const send = (address: string, content: Uint8Array | ReadableStream | null) => patch(address, 0, content);
  const part = (address: string, content: Uint8Array, from: number, to: number) =>
    patch(address, from, content.subarray(from, to));
  const head = (address: string) => fetch(address, { method: "HEAD", headers: tus });
  const offsetAt = async (address: string) => {
    const { headers } = await head(address);
    return [headers.get("upload-offset"), headers.has("submission-receipt")];
  };
  /** What the answer to the last byte says was received. */
  const receivedIn = ({ headers }: Response) => ({
    submissionId: headers.get("submission-id"),
    receipt: headers.get("submission-receipt") ?? "",
    position: headers.get("submission-position"),
  });
  const refused = async (answer: Response) => {
    const { error } = (await answer.json()) as { error: { message: string; data: { errorCode: string } } };
    return { status: answer.status, errorCode: error.data.errorCode };
  };
  const eventsOf = async (submissionId: SubmissionId) => {
    const types = [];
    const stream = streamName("submission", school.tenantId, submissionId);
    for await (const { type } of eventLog.readStream(stream)) types.push(type);
    return types;
  };
  const isStored = (content: Uint8Array) => store.has(school.tenantId, sha256(content));
  const proofOf = async (receipt: string) =>
    verifyReceipt(
      receipt,
      await fetch(`${workers.gateway.url}/.well-known/receipts.json`).then((keys) => keys.json()),
    );

  test("a digest is handed in first; its content follows, and the receipt then says so", async () => {
    const content = randomBytes(3 * mebibyte);
    const { input, receipt, submissionId, upload, address } = await commit(content);
    expect(await proofOf(receipt)).toMatchObject({ sha256: input.sha256, receivedAt: null });
    expect(Date.parse(upload?.expiresAt ?? "")).toBe(
      Date.parse((await proofOf(receipt)).committedAt) + uploadWindowMs,
    );
    expect(upload).toMatchObject({ protocol: "tus", headers: {}, waitMs: 0 });

    const answer = await send(address, content);
    expect(answer.status).toBe(204);
    const received = receivedIn(answer);
    expect(received).toMatchObject({ submissionId, position: expect.stringMatching(/^\d+$/) });
    expect((await proofOf(received.receipt)).receivedAt).not.toBeNull();
    expect(await eventsOf(submissionId)).toEqual(["SubmissionCommitted", "SubmissionReceived"]);
    const stored = await store.get(school.tenantId, input.sha256);
    expect(sha256(stored ?? new Uint8Array())).toBe(input.sha256);

    // Each call gives one text, whenever it is called.
    const { submissions } = school.student.client;
    expect(await submissions.commit.mutate(input)).toMatchObject({ receipt, upload: null });
    expect(await submissions.receipt.query(input)).toEqual({ submissionId, receipt: received.receipt });
    for (const again of [content, randomBytes(9), null]) {
      expect((await refused(await send(address, again))).errorCode).toBe("upload_offset_mismatch");
      expect(receivedIn(await head(address))).toEqual(received);
      expect(await (await fetch(address)).json()).toEqual(received);
    }
    expect(await eventsOf(submissionId)).toEqual(["SubmissionCommitted", "SubmissionReceived"]);
  });

  test("the same content three times at once is received once, with one receipt", async () => {
    const content = randomBytes(mebibyte);
    const { submissionId, address } = await commit(content);
    const receipts = await Promise.all(
      [1, 2, 3].map(async () => {
        const answer = await send(address, content);
        // A client that was slower may be told that others have sent it, and asks.
        if (!answer.ok) expect((await refused(answer)).errorCode).toBe("upload_offset_mismatch");
        await expect.poll(() => offsetAt(address)).toEqual([String(mebibyte), true]);
        return receivedIn(await head(address)).receipt;
      }),
    );
    expect(new Set(receipts).size).toBe(1);
    expect(await eventsOf(submissionId)).toEqual(["SubmissionCommitted", "SubmissionReceived"]);
  });

  test("parts are taken in order, from wherever the upload is, and may all come at once", async () => {
    const content = randomBytes(mebibyte);
    const { address } = await commit(content);
    expect(await offsetAt(address)).toEqual(["0", false]);
    const first = await part(address, content, 0, 300_000);
    expect([first.status, first.headers.get("upload-offset")]).toEqual([204, "300000"]);
    expect(await (await fetch(address)).json()).toEqual({ offset: 300_000, bytes: mebibyte });
    expect(await offsetAt(address)).toEqual(["300000", false]);
    for (const wrong of [0, 400_000]) {
      expect(await refused(await part(address, content, wrong, 500_000))).toEqual({
        status: 409,
        errorCode: "upload_offset_mismatch",
      });
    }
    const rest = () => part(address, content, 300_000, mebibyte);
    const answers = await Promise.all([rest(), rest()]);
    // A client that was slower may be told that the rest has come, and then asks.
    expect(answers.map(({ status }) => status)).toContain(204);
    expect(await offsetAt(address)).toEqual([String(mebibyte), true]);
    expect(await isStored(content)).toBe(true);
  });

  test("a client that got no answer to its last part asks how far it is, and gets the receipt", async () => {
    const content = randomBytes(10_000);
    const { address } = await commit(content);
    const asked = await head(address);
    expect([asked.status, ...(await offsetAt(address))]).toEqual([200, "0", false]);
    const { receipt } = receivedIn(await send(address, content));
    expect(receivedIn(await head(address))).toMatchObject({ receipt });
  });

  test("an upload whose worker died with the last byte is finished for the client that asks", async () => {
    const content = randomBytes(600_000);
    const { address, submissionId } = await commit(content);
    const parts = openUploadParts(bus);
    await parts.append(`${school.tenantId}.${submissionId}`, 0, new Blob([content]).stream());
    expect(await eventsOf(submissionId)).toEqual(["SubmissionCommitted"]);
    const asked = await Promise.all([head(address), head(address)]);
    for (const answer of asked) {
      expect(answer.headers.get("upload-offset")).toBe("600000");
      expect((await proofOf(receivedIn(answer).receipt)).receivedAt).not.toBeNull();
    }
    expect(await eventsOf(submissionId)).toEqual(["SubmissionCommitted", "SubmissionReceived"]);
    expect(await isStored(content)).toBe(true);
  });

  test("content that ends too early is not received, and the rest can follow", async () => {
    const content = randomBytes(mebibyte);
    const { address, submissionId } = await commit(content);
    const early = await send(address, content.subarray(0, 700_000));
    expect([early.status, early.headers.get("submission-receipt")]).toEqual([204, null]);
    expect(await offsetAt(address)).toEqual(["700000", false]);
    expect(await isStored(content)).toBe(false);
    expect(await eventsOf(submissionId)).toEqual(["SubmissionCommitted"]);
    expect((await part(address, content, 700_000, mebibyte)).status).toBe(204);
    expect(await isStored(content)).toBe(true);
  });

  /** Sends the beginning of a part and then nothing more; resolves when so much is stored. */
  const beginPart = async (url: string, path: string, content: Uint8Array, bytes: number) => {
    const { hostname, port } = new URL(url);
    const sending = request({
      ...{ hostname, port, path, method: "PATCH" },
      headers: {
        ...tus,
        "content-type": "application/offset+octet-stream",
        "content-length": content.length,
        "upload-offset": "0",
      },
    });
    sending.on("error", () => {});
    sending.write(content.subarray(0, bytes));
    return sending;
  };

  test("a part whose connection breaks is kept as far as it came, and the upload goes on from there", async () => {
    const content = randomBytes(mebibyte);
    const { address, upload } = await commit(content);
    const sending = await beginPart(workers.gateway.url, upload?.url ?? "", content, 600_000);
    await expect.poll(() => offsetAt(address)).toEqual(["524288", false]);
    sending.destroy();
    await expect.poll(() => offsetAt(address)).toEqual(["600000", false]);
    expect((await part(address, content, 600_000, mebibyte)).status).toBe(204);
    expect(await isStored(content)).toBe(true);
  });

  test("another worker goes on with an upload whose worker was killed", async () => {
    const content = randomBytes(mebibyte);
    const { submissionId, upload, address } = await commit(content);
    const settings = settingsFor(servers, workers.auth.url).api;
    const doomed = await startWorker(runtime, "api", settings);
    await beginPart(doomed.url, upload?.url ?? "", content, 600_000);
    await expect.poll(() => offsetAt(address)).toEqual(["524288", false]);
    await doomed.kill9();
    expect(await offsetAt(address)).toEqual(["524288", false]);
    expect(await isStored(content)).toBe(false);
    expect((await part(address, content, 524_288, mebibyte)).status).toBe(204);
    expect(await isStored(content)).toBe(true);
    expect(await eventsOf(submissionId)).toEqual(["SubmissionCommitted", "SubmissionReceived"]);
  });

  test("other content than was committed is refused, and the right one can follow", async () => {
    const content = randomBytes(600_000);
    const other = randomBytes(600_000);
    const { address } = await commit(content);
    const mismatch = { status: 460, errorCode: "content_digest_mismatch" };
    expect(await refused(await send(address, other))).toEqual(mismatch);
    expect((await part(address, other, 0, 300_000)).status).toBe(204);
    expect(await refused(await part(address, other, 300_000, 600_000))).toEqual(mismatch);
    expect(await offsetAt(address)).toEqual(["0", false]);
    expect([await isStored(content), await isStored(other)]).toEqual([false, false]);
    expect((await send(address, content)).status).toBe(204);
  });

  test("no more is taken than was committed, and no more can be committed than may be", async () => {
    const content = randomBytes(600_000);
    const more = Buffer.concat([content, Buffer.from("more")]);
    const { address, input } = await commit(content);
    const tooLarge = { status: 413, errorCode: "content_too_large" };
    expect(await refused(await send(address, more))).toEqual(tooLarge);
    expect((await part(address, content, 0, 100_000)).status).toBe(204);
    expect(await refused(await patch(address, 100_000, content))).toEqual(tooLarge);
    expect(await offsetAt(address)).toEqual(["0", false]);
    expect(await refused(await send(address, new Blob([more]).stream()))).toEqual(tooLarge);
    expect(await isStored(content)).toBe(false);
    const { submissions } = school.student.client;
    const huge = { ...input, key: "huge", bytes: maxUploadBytes + 1 };
    expect(await refusal(submissions.commit.mutate(huge))).toMatchObject({
      errorCode: "content_too_large",
      issues: [{ path: "bytes" }],
    });
    expect((await send(address, new Blob([content]).stream())).status).toBe(204);
    expect(await isStored(content)).toBe(true);
  });

  test("nothing at all is content_missing when it is committed, and moves nothing when it is sent", async () => {
    const { address, input, submissionId } = await commit(Buffer.from("my essay"));
    const { submissions } = school.student.client;
    expect(await refusal(submissions.commit.mutate({ ...input, key: "empty", bytes: 0 }))).toMatchObject({
      errorCode: "content_missing",
      httpStatus: 400,
      issues: [{ path: "bytes" }],
    });
    for (const nothing of [null, new Uint8Array()]) {
      const answer = await send(address, nothing);
      expect([answer.status, answer.headers.get("upload-offset")]).toEqual([204, "0"]);
    }
    expect(await offsetAt(address)).toEqual(["0", false]);
    expect(await eventsOf(submissionId)).toEqual(["SubmissionCommitted"]);
  });

  test("it speaks tus 1.0: what the server can, what a request has to say, and how an upload is discarded", async () => {
    const content = randomBytes(600_000);
    const { address, upload } = await commit(content);
    const can = await fetch(address, { method: "OPTIONS" });
    expect([can.status, Object.fromEntries(can.headers)]).toMatchObject([
      204,
      {
        "tus-resumable": "1.0.0",
        "tus-version": "1.0.0",
        "tus-extension": "expiration,termination",
        "tus-max-size": String(maxUploadBytes),
      },
    ]);
    expect((await part(address, content, 0, 400_000)).headers.get("upload-expires")).toBe(
      new Date(upload?.expiresAt ?? "").toUTCString(),
    );
    const asked = await head(address);
    expect([asked.status, Object.fromEntries(asked.headers)]).toMatchObject([
      200,
      {
        "tus-resumable": "1.0.0",
        "cache-control": "no-store",
        "upload-offset": "400000",
        "upload-length": "600000",
        "upload-expires": new Date(upload?.expiresAt ?? "").toUTCString(),
      },
    ]);

    for (const [status, headers] of [
      [412, { "tus-resumable": "0.2.2" }],
      [415, { "content-type": "application/octet-stream" }],
      [400, { "upload-offset": "far" }],
      [400, { "upload-length": "600000" }],
    ] as const) {
      const answer = await patch(address, 400_000, content.subarray(400_000), headers);
      expect([status, await refused(answer)]).toEqual([status, { status, errorCode: "malformed" }]);
      expect(answer.headers.get("tus-version")).toBe(status === 412 ? "1.0.0" : null);
    }
    expect((await fetch(address, { method: "HEAD" })).status).toBe(412);
    expect((await fetch(address, { method: "POST", headers: tus })).status).toBe(405);

    expect((await fetch(address, { method: "DELETE", headers: tus })).status).toBe(204);
    expect(await offsetAt(address)).toEqual(["0", false]);
    // As from a network that lets no PATCH pass.
    const rest = await fetch(address, {
      method: "POST",
      headers: {
        ...tus,
        "x-http-method-override": "PATCH",
        "content-type": "application/offset+octet-stream",
        "upload-offset": "0",
      },
      body: content,
    });
    expect([rest.status, rest.headers.get("upload-expires")]).toEqual([204, null]);
    expect(await isStored(content)).toBe(true);
    expect(await refused(await fetch(address, { method: "DELETE", headers: tus }))).toEqual({
      status: 400,
      errorCode: "malformed",
    });
    expect(await offsetAt(address)).toEqual(["600000", true]);
  });

  test("another file under the same key is a conflict that names the first receipt", async () => {
    const first = await commit(Buffer.from("first"));
    const taken = { errorCode: "submission_key_taken", httpStatus: 409, receipt: first.receipt };
    expect(await refusal(commit(Buffer.from("second"), { key: first.key }))).toMatchObject(taken);
    const { submissions } = school.student.client;
    const second = { assignmentId, key: first.key, file: textFile("second") };
    expect(await refusal(submissions.submit.mutate(second))).toMatchObject(taken);
  });

  test("content that was committed may also come in a request", async () => {
    const { key, receipt, input } = await commit(Buffer.from("small"));
    const { submissions } = school.student.client;
    const submitted = await submissions.submit.mutate({ assignmentId, key, file: textFile("small") });
    expect((await proofOf(submitted.receipt)).receivedAt).not.toBeNull();
    expect(await submissions.commit.mutate(input)).toMatchObject({ receipt, upload: null });
    expect(await submissions.receipt.query(input)).toMatchObject({ receipt: submitted.receipt });
    expect(await isStored(Buffer.from("small"))).toBe(true);
  });

  test("what lapsed takes no content any more, and says so with its receipt", async () => {
    const content = randomBytes(200_000);
    const { submissionId, address, receipt, input } = await commit(content);
    await part(address, content, 0, 100_000);
    const at = instantOf(new Date(Date.now() + uploadWindowMs + 1_000));
    await eventLog.execute(submissionDecider, school.tenantId, submissionId, [
      {
        command: { type: "LapseSubmission", at },
        context: commandContext(school.tenantId, "system:test", at),
      },
    ]);
    const lapsed = { status: 410, errorCode: "submission_lapsed" };
    expect(await refused(await send(address, content))).toEqual(lapsed);
    expect(await refused(await part(address, content, 100_000, 200_000))).toEqual(lapsed);
    expect((await head(address)).status).toBe(410);
    expect(await isStored(content)).toBe(false);
    const { submissions } = school.student.client;
    const withReceipt = { errorCode: "submission_lapsed", receipt };
    expect(await refusal(submissions.commit.mutate(input))).toMatchObject(withReceipt);
    const inline = { name: "essay.pdf", mediaType: "application/pdf", base64: content.toString("base64") };
    expect(
      await refusal(submissions.submit.mutate({ assignmentId, key: input.key, file: inline })),
    ).toMatchObject(withReceipt);
    expect(await submissions.receipt.query(input)).toEqual({ submissionId, receipt });
  });

  test("an id that we did not make, or that was changed, is unknown", async () => {
    const content = Buffer.from("my essay");
    const { upload, submissionId } = await commit(content);
    const id = upload?.url.split("/").at(-1) ?? "";
    const other = await openSchool(workers.gateway.url, servers.signingKey, newSlug(`uploads-${runtime}`));
    const claims = Buffer.from(id, "base64url").toString();
    const forged = [
      claims.replace(school.tenantId, other.tenantId),
      claims.replace(submissionId, crypto.randomUUID()),
      claims.replace(sha256(content), sha256(Buffer.from("other"))),
      "nonsense",
    ].map((text) => Buffer.from(text).toString("base64url"));
    for (const wrong of [...forged, `${id.slice(0, -4)}AAAA`]) {
      const elsewhere = `${workers.gateway.url}/uploads/${wrong}`;
      const unknown = { status: 404, errorCode: "upload_unknown" };
      expect(await refused(await send(elsewhere, content))).toEqual(unknown);
      expect(await refused(await fetch(elsewhere))).toEqual(unknown);
      expect(await refused(await fetch(elsewhere, { method: "DELETE", headers: tus }))).toEqual(unknown);
      expect((await head(elsewhere)).status).toBe(404);
    }
    expect(await store.has(other.tenantId, sha256(content))).toBe(false);
  });

  test("another school's assignment, somebody else's class and a closed assignment are refused at the commit", async () => {
    const content = file(Buffer.from("my essay"));
    const other = await openSchool(workers.gateway.url, servers.signingKey, newSlug(`others-${runtime}`));
    const commitAs = ({ client }: Pick<School["student"], "client">, id = assignmentId) =>
      refusal(client.submissions.commit.mutate({ assignmentId: id, key: "1", ...content }));
    expect(await commitAs(other.student)).toMatchObject({ errorCode: "assignment_unknown" });
    expect(await commitAs(school.outsider)).toMatchObject({ errorCode: "not_a_member" });
    expect(await commitAs(school.teacher)).toMatchObject({ errorCode: "forbidden" });
  });

  test("an assignment closes to the millisecond by our clock, and what it took may still be sent and asked for", async () => {
    const { teacher, student, classId } = school;
    const content = randomBytes(1_000);
    const token = await tokenFor(servers.signingKey, student.userId, school.tenantId, ["student"]);
    const clientWithClock = (hoursOff: number) =>
      clientOf(workers.gateway.url, token, {
        date: new Date(Date.now() + hoursOff * 3_600_000).toUTCString(),
      });
    /** Hands in again and again, until it is too late: gives when each was committed, and when it was told so. */
    const handUntilClosed = async (hand: (n: number) => Promise<{ receipt: string }>) => {
      const committed: string[] = [];
      for (;;) {
        try {
          const { receipt } = await hand(committed.length);
          committed.push((await proofOf(receipt)).committedAt);
        } catch (error) {
          expect(error).toMatchObject({ data: { errorCode: "assignment_closed" } });
          return { committed, closedBy: new Date().toISOString() };
        }
      }
    };

    const { dueAt: due, result } = await beforeDue(async (dueAt, code) => {
      const { assignmentId } = await teacher.client.assignments.publish.mutate({
        ...newAssignment(classId, code),
        latePolicy: { kind: "refuse" },
        dueAt,
      });
      const hand = (key: string, hoursOff = 0) =>
        clientWithClock(hoursOff).submissions.commit.mutate({ assignmentId, key, ...file(content) });
      const first = await hand("first", 5);
      const inline = { assignmentId, key: "inline", file: textFile("inline") };
      await student.client.submissions.commit.mutate({ ...inline, ...file(Buffer.from("inline")) });
      const slow = await beginCall(workers.api.url, token, { assignmentId, key: "slow", ...file(content) });
      // Taken as well, so what was begun before it is in time.
      await hand("last");
      return { hand, first, inline, slow };
    });
    const { hand, first, inline, slow } = result;
    const hands = await Promise.all(
      [7, -7, 7, -7].map((hoursOff, who) =>
        handUntilClosed((n) => hand(`${who} for the ${n}th time`, hoursOff)),
      ),
    );
    for (const { committed, closedBy } of hands) {
      expect(committed.every((at) => at <= due)).toBe(true);
      expect(closedBy > due).toBe(true);
    }

    expect(await hand("first", -9)).toMatchObject({
      receipt: first.receipt,
      upload: { url: first.upload?.url },
    });
    expect((await send(`${workers.gateway.url}${first.upload?.url}`, content)).status).toBe(204);
    await student.client.submissions.submit.mutate(inline);
    expect(await isStored(Buffer.from("inline"))).toBe(true);
    // What counts is when the request came, not when all of it had come.
    const { committedAt } = await proofOf((await slow()).receipt);
    expect(committedAt <= due).toBe(true);
  });

  /** Sends a commit's headers, and once the worker has them resolves to what sends its input. */
  const beginCall = async (url: string, token: string, input: object) => {
    const body = JSON.stringify(input);
    const sending = request(`${url}/trpc/submissions.commit`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        expect: "100-continue",
      },
    });
    const answered = once(sending, "response");
    await once(sending, "continue");
    return async () => {
      sending.end(body);
      const [response] = (await answered) as [IncomingMessage];
      const { result } = JSON.parse(Buffer.concat(await Array.fromAsync(response)).toString());
      return result.data as { receipt: string };
    };
  };

  test("only a client that has content can have it received: its digest is not enough", async () => {
    const content = randomBytes(1_000);
    const theirs = await commit(content);
    await send(theirs.address, content);
    const mine = await commit(content);
    const { submissions } = school.student.client;
    const { submissionId } = mine;
    expect(await refusal(submissions.received.mutate({ submissionId }))).toMatchObject({
      errorCode: "content_missing",
    });
    expect(mine.upload).not.toBeNull();
    expect(await eventsOf(submissionId)).toEqual(["SubmissionCommitted"]);
    const received = receivedIn(await send(mine.address, content));
    expect(await submissions.received.mutate({ submissionId })).toEqual(received);
    expect(await refusal(school.outsider.client.submissions.received.mutate({ submissionId }))).toMatchObject(
      { errorCode: "submission_unknown" },
    );
  });

  test("large uploads that are committed together are spread out", async () => {
    const turns: number[] = [];
    for (let n = 0; n < 3; n++) {
      const input = { assignmentId, key: `spread-${n}`, ...file(randomBytes(8)), bytes: maxUploadBytes };
      const asked = Date.now();
      const { upload } = await school.student.client.submissions.commit.mutate(input);
      const turn = Date.parse(upload?.notBefore ?? "");
      const waitMs = upload?.waitMs ?? 0;
      expect(turn).toBeGreaterThanOrEqual(asked + waitMs);
      expect(turn).toBeLessThanOrEqual(Date.now() + waitMs);
      turns.push(turn);
    }
    const [first = 0, second = 0, third = 0] = turns;
    expect(second - first).toBeGreaterThan(4_000);
    expect(third - second).toBeGreaterThan(4_000);
  });

  describe("content that was handed in", () => {
    const download = async (
      submissionId: string,
      who?: School["student"] | School["teacher"],
      roles = ["student"],
    ) => {
      const token = who && (await tokenFor(servers.signingKey, who.userId, school.tenantId, roles as never));
      return fetch(`${workers.gateway.url}/submissions/${submissionId}/content`, {
        headers: token ? { authorization: `Bearer ${token}` } : {},
      });
    };

    test("is served to its student and to the class's teachers, as a download with a harmless name", async () => {
      const content = randomBytes(mebibyte);
      const { submissionId, address } = await commit(content, { name: '../..\\etc/a "ü" b.html' });
      expect(await refused(await download(submissionId, school.student))).toMatchObject({
        errorCode: "content_missing",
      });
      await send(address, content);
      for (const [who, roles] of [
        [school.student, ["student"]],
        [school.teacher, ["teacher"]],
        [school.admin, ["admin"]],
      ] as const) {
        const answer = await download(submissionId, who, [...roles]);
        expect(answer.status).toBe(200);
        expect(Object.fromEntries(answer.headers)).toMatchObject({
          "content-type": "application/pdf",
          "content-disposition": `attachment; filename="a ___ b.html"; filename*=UTF-8''a%20%22%C3%BC%22%20b.html`,
          "x-content-type-options": "nosniff",
          "content-security-policy": "default-src 'none'; sandbox",
        });
        expect(sha256(new Uint8Array(await answer.arrayBuffer()))).toBe(sha256(content));
      }
    });

    test("is nobody else's", async () => {
      const content = randomBytes(1_000);
      const { submissionId, address } = await commit(content);
      await send(address, content);
      expect((await refused(await download(submissionId))).errorCode).toBe("token_missing");
      expect(await refused(await download(submissionId, school.outsider))).toMatchObject({
        errorCode: "not_a_member",
      });
      expect(await refused(await download(submissionId, school.otherTeacher, ["teacher"]))).toMatchObject({
        errorCode: "not_a_member",
      });
      expect(await refused(await download(submissionId, school.auditor, ["auditor"]))).toMatchObject({
        errorCode: "forbidden",
      });
      expect((await refused(await download("nonsense", school.student))).errorCode).toBe(
        "submission_unknown",
      );
    });
  });

  test.each(["..", ".", "", "a/..", "name\u0000.txt", "name\r\nX: y", "x".repeat(256)])(
    "the file name %j is refused",
    async (name) => {
      expect(await refusal(commit(Buffer.from("my essay"), { name }))).toMatchObject({
        errorCode: "malformed",
        issues: [{ path: "name" }],
      });
    },
  );

  test("a receipt is asked for by its student and by people who may list, and by nobody else", async () => {
    const { receipt, input } = await commit(Buffer.from("my essay"));
    const ask = (who: Pick<School["student"], "client">, studentId?: School["student"]["userId"]) =>
      who.client.submissions.receipt.query({ ...input, studentId });
    const { userId } = school.student;
    expect(await ask(school.teacher, userId)).toMatchObject({ receipt });
    expect(await ask(school.auditor, userId)).toMatchObject({ receipt });
    expect(await refusal(ask(school.outsider, userId))).toMatchObject({ errorCode: "forbidden" });
    expect(await refusal(ask(school.outsider))).toMatchObject({ errorCode: "submission_unknown" });
  });
});

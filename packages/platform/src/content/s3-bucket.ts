import { Buffer } from "node:buffer";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CarillonError } from "@carillon/domain";
import { AwsV4Signer } from "aws4fetch";
import type { ExpectedContent } from "./content-stream.ts";
import { codeIn, readPage, type S3Object } from "./s3-answers.ts";

/** One bucket of an S3. Every call throws `CarillonError` `unavailable` where S3 refuses or does not answer. */
export interface S3Bucket {
  /** Undefined for a key that is not there. */
  modifiedAt(key: string): Promise<Date | undefined>;
  open(key: string): Promise<ReadableStream<Uint8Array> | undefined>;
  /** Stores a whole object or nothing: S3 checks the digest. Throws what `content` throws. */
  put(key: string, expected: ExpectedContent, content: AsyncIterable<Uint8Array>): Promise<void>;
  list(): AsyncGenerator<S3Object>;
  delete(key: string): Promise<void>;
  /**
   * The address and the headers of a `PUT` that their holder can make until `expiresAt`: of content with this length and, on
   * an S3 that checks `x-amz-checksum-sha256`, this digest.
   */
  presignPut(
    key: string,
    expected: ExpectedContent,
    expiresAt: Date,
  ): Promise<{ url: string; headers: Record<string, string> }>;
}

const answerTimeoutMs = 30_000;

/** A bucket and what signs requests to it. */
interface Address {
  /** Without a slash at the end. */
  readonly url: string;
  readonly signing: {
    readonly service: string;
    readonly region: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
}

/** @param url `s3://KEY:SECRET@HOST/BUCKET?region=REGION`, each part percent-encoded; `s3+http://` for a server without TLS */
export function openS3(url: string): S3Bucket {
  const address = addressOf(url);
  const urlOf = (key: string) => `${address.url}/${key}`;
  return {
    async modifiedAt(key) {
      const answer = await ask(address, "HEAD", urlOf(key));
      return answer && new Date(answer.headers.get("last-modified") ?? 0);
    },
    async open(key) {
      const answer = await ask(address, "GET", urlOf(key));
      return answer && (answer.body ?? new Blob().stream());
    },
    async put(key, expected, content) {
      const { url, headers } = await signed(address, "PUT", urlOf(key), {
        "x-amz-content-sha256": expected.sha256,
        "x-amz-checksum-sha256": checksumOf(expected),
      });
      const { status, body } = await send(url, headers, expected.bytes, content);
      if (status === 200) return;
      throw unavailable(new Error(`S3 answers ${status} to PUT: ${codeIn(body)}`));
    },
    list: () => list(address),
    async delete(key) {
      await ask(address, "DELETE", urlOf(key));
    },
    presignPut: (key, expected, expiresAt) => presignPut(address, urlOf(key), expected, expiresAt),
  };
}

function addressOf(setting: string): Address {
  const parsed = new URL(setting.replace(/^s3:/, "https:").replace(/^s3\+http:/, "http:"));
  return {
    url: `${parsed.origin}${parsed.pathname.replace(/\/$/, "")}`,
    signing: {
      service: "s3",
      region: parsed.searchParams.get("region") ?? "us-east-1",
      accessKeyId: decodeURIComponent(parsed.username),
      secretAccessKey: decodeURIComponent(parsed.password),
    },
  };
}

const signed = ({ signing }: Address, method: string, target: string, headers: Record<string, string> = {}) =>
  new AwsV4Signer({ ...signing, method, url: target, headers }).sign();

/** An answer of success, or undefined for "not found". */
async function ask(address: Address, method: string, target: string): Promise<Response | undefined> {
  const { url, headers } = await signed(address, method, target);
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(), answerTimeoutMs);
  try {
    const answer = await fetch(url, { method, headers, signal: waiting.signal });
    if (answer.ok) return answer;
    const problem = await answer.text();
    if (answer.status === 404) return undefined;
    throw new Error(`S3 answers ${answer.status} to ${method}: ${codeIn(problem)}`);
  } catch (error) {
    throw unavailable(error);
  } finally {
    clearTimeout(timer);
  }
}

async function* list(address: Address): AsyncGenerator<S3Object> {
  for (let after: string | undefined = ""; after !== undefined; ) {
    const target = new URL(address.url);
    target.searchParams.set("list-type", "2");
    if (after) target.searchParams.set("continuation-token", after);
    const answer = await ask(address, "GET", target.href);
    if (!answer) throw unavailable(new Error("S3 has no such bucket"));
    const { objects, next } = await answer
      .text()
      .then(readPage)
      .catch((cause: unknown) => {
        throw unavailable(cause);
      });
    yield* objects;
    after = next;
  }
}

async function presignPut(
  { signing }: Address,
  url: string,
  expected: ExpectedContent,
  expiresAt: Date,
): Promise<{ url: string; headers: Record<string, string> }> {
  const target = new URL(url);
  const seconds = Math.max(1, Math.floor((expiresAt.getTime() - Date.now()) / 1_000));
  target.searchParams.set("X-Amz-Expires", String(seconds));
  const headers = {
    "content-length": String(expected.bytes),
    "x-amz-checksum-sha256": checksumOf(expected),
  };
  const signer = new AwsV4Signer({
    ...signing,
    method: "PUT",
    url: target.href,
    headers,
    signQuery: true,
    allHeaders: true,
  });
  return { url: (await signer.sign()).url.href, headers };
}

/** Deno's `fetch` sends a stream without its length, which S3 refuses; `node:http` sends it on both runtimes. */
async function send(
  url: URL,
  headers: Headers,
  bytes: number,
  content: AsyncIterable<Uint8Array>,
): Promise<{ status: number | undefined; body: string }> {
  const request = (url.protocol === "http:" ? requestHttp : requestHttps)(url, {
    method: "PUT",
    headers: { ...Object.fromEntries(headers), "content-length": bytes },
    timeout: answerTimeoutMs,
  });
  request.once("timeout", () => request.destroy(new Error("S3 does not answer")));
  const answer = new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    request.once("error", reject);
    request.once("response", (response) => {
      Array.fromAsync(response).then(
        (pieces) => resolve({ status: response.statusCode, body: String(Buffer.concat(pieces as Buffer[])) }),
        reject,
      );
    });
  });
  try {
    const [given] = await Promise.all([answer, pipeline(Readable.from(content), request)]);
    return given;
  } catch (error) {
    request.destroy();
    // What the content threw comes first: that the request was cut off is only what follows from it.
    await answer.catch(() => {});
    throw unavailable(error);
  }
}

const unavailable = (cause: unknown) =>
  cause instanceof CarillonError
    ? cause
    : new CarillonError("unavailable", "The content store cannot be reached: try again.", { cause });

const checksumOf = ({ sha256 }: ExpectedContent) => Buffer.from(sha256, "hex").toString("base64");

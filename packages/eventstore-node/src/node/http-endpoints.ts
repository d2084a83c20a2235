import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { freemem, loadavg } from "node:os";
import type { Users } from "../access/users.ts";
import type { EventLog } from "../storage/log.ts";
import { SERVER_VERSION } from "../wire/server-features.ts";

/** What the endpoints tell about. */
export interface NodeFacts {
  readonly log: EventLog;
  /** Undefined in a node that asks no client for a password. */
  readonly users: Users | undefined;
  readonly hasProjections: boolean;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** What a request gets: a status, and an object that is sent as JSON. */
interface Reply {
  readonly status: number;
  readonly body?: unknown;
}

const NO_CONTENT = 204;
const LONGEST_STATUS = 599;

/**
 * The endpoints of the real server that tell how a node is: `/health/live`, `/info`, `/stats` and its parts, `/ping`.
 * They need no name; a wrong one is refused.
 */
export function httpEndpoints(facts: NodeFacts): RequestListener {
  return async (request, response) => {
    const { status, body } = await replyTo(request, facts).catch((): Reply => ({ status: 500 }));
    send(request, response, status, body);
  };
}

async function replyTo(request: IncomingMessage, facts: NodeFacts): Promise<Reply> {
  const { authorization } = request.headers;
  if (authorization !== undefined && facts.users !== undefined) {
    if ((await facts.users.authenticate(authorization)) === undefined) return { status: 401 };
  }
  if (request.method !== "GET" && request.method !== "HEAD") return { status: 405 };
  const url = new URL(request.url ?? "/", "http://node");
  const [first = "", ...rest] = url.pathname.split("/").filter((part) => part !== "");
  if (url.pathname === "/health/live") return { status: wantedStatus(url.searchParams.get("liveCode")) };
  if (url.pathname === "/ping") return { status: 200, body: { text: "Ping request successfully handled" } };
  if (url.pathname === "/info") return { status: 200, body: info(facts) };
  if (first === "stats") {
    const body = partOf(stats(facts), rest);
    return body === undefined ? { status: 404 } : { status: 200, body };
  }
  return { status: 404 };
}

/** A caller may name the status that means life to it. */
function wantedStatus(code: string | null): number {
  const status = Number(code);
  return Number.isInteger(status) && status >= 200 && status <= LONGEST_STATUS ? status : NO_CONTENT;
}

function info({ users, hasProjections }: NodeFacts) {
  return {
    esVersion: SERVER_VERSION,
    state: "leader",
    features: { projections: hasProjections, userManagement: false, atomPub: false },
    authentication: { type: users === undefined ? "insecure" : "internal", properties: {} },
  };
}

function stats({ log, startedAt }: NodeFacts) {
  const { user, system } = process.cpuUsage();
  const [oneMinute = 0, fiveMinutes = 0, fifteenMinutes = 0] = loadavg();
  return {
    proc: {
      startTime: new Date(startedAt).toISOString(),
      id: process.pid,
      mem: process.memoryUsage.rss(),
      cpuSeconds: (user + system) / 1e6,
    },
    sys: {
      freeMem: freemem(),
      loadavg: { "1m": oneMinute, "5m": fiveMinutes, "15m": fifteenMinutes },
    },
    es: {
      lastPosition: log.lastPosition,
      queue: {
        StorageWriterQueue: {
          queueName: "StorageWriterQueue",
          length: log.waitingWrites,
          lengthBytes: log.waitingBytes,
        },
      },
    },
  };
}

/** Goes down into `value` by the names of a path. */
function partOf(value: unknown, path: readonly string[]): unknown {
  let part = value;
  for (const name of path) {
    if (typeof part !== "object" || part === null) return undefined;
    part = Object.entries(part).find(([key]) => key === name)?.[1];
  }
  return part;
}

function send(request: IncomingMessage, response: ServerResponse, status: number, body: unknown): void {
  if (status === 401) response.setHeader("www-authenticate", 'Basic realm="ES"');
  if (status === 405) response.setHeader("allow", "GET, HEAD");
  response.statusCode = status;
  if (body === undefined) {
    response.end();
    return;
  }
  response.setHeader("content-type", "application/json; charset=utf-8");
  response.end(request.method === "HEAD" ? undefined : JSON.stringify(body));
}

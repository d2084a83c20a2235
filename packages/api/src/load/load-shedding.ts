import { CarillonError } from "@carillon/domain";
import { counter, gauge, type Registry } from "@carillon/platform";
import type { Hono, Env as HonoEnv, MiddlewareHandler } from "hono";
import { retryAfterTimes } from "./retry-after.ts";

/**
 * How many calls may be under way in a worker for one more of a kind to be taken, the first to be shed first: what
 * is read can be read later, while a commit is what somebody's lateness hangs on. Logins are counted apart: most of them wait
 * in the queue of `hash-pool.ts`, and take nothing while they do.
 */
const limits = { read: 256, upload: 384, write: 512, submit: 1_024, login: 2_048, commit: 4_096 } as const;
type Kind = keyof typeof limits;

const kinds: Readonly<Record<string, Kind>> = {
  "auth.login": "login",
  "submissions.submit": "submit",
  "submissions.commit": "commit",
};

/** With fewer calls under way the worker waits for them, not they for it: that is no measure of what it can do. */
const crowdSize = 16;
/** What a call is taken to cost until it was measured. */
const firstGuessMs = 2;
/** Of some seconds: answers come in clumps, and the first crowded second says little of the next. */
const newestWeight = 0.001;

/** Not the keys: other workers need them when there is a crowd, too. */
const calls = ["/trpc/*", "/uploads/*", "/submissions/*", "/receipts/*"];

/**
 * Sheds calls to `app` where too many are under way, before anything of them is read: it throws `busy`, with a time to
 * try again that follows from how fast calls are answered. For the routes that are added after it.
 */
export function shedLoad<Env extends HonoEnv>(app: Hono<Env>, metrics: Registry): void {
  const admit = admission(metrics);
  for (const path of calls) app.use(path, admit);
}

function admission(metrics: Registry): MiddlewareHandler {
  const shedCalls = counter(metrics, "carillon_calls_shed_total");
  const logins = crowd();
  const others = crowd();
  gauge(metrics, "carillon_calls_under_way", function () {
    this.set(logins.underWay() + others.underWay());
  });

  return async ({ req }, next) => {
    const kind = kindOf(req.method, req.path);
    const { underWay, shed, during } = kind === "login" ? logins : others;
    if (underWay() < limits[kind]) return during(next);
    shedCalls.inc({ kind });
    const wait = shed();
    throw new CarillonError(
      "busy",
      `Very many come at once right now: try again in ${Math.ceil(wait.retryAfterMs / 1000)} s.`,
      { wait },
    );
  };
}

/** Calls that are counted together, and how fast they are answered. */
function crowd() {
  const giveTime = retryAfterTimes();
  let underWay = 0;
  /** The time between two answers while there is a crowd, in milliseconds. */
  let slotMs = firstGuessMs;
  /** When the last call was answered, or the crowd came if that was later. */
  let lastAt = 0;
  return {
    underWay: () => underWay,
    shed: () => giveTime("all", { slotMs, length: underWay, ownLength: underWay, tenants: 1 }, Date.now()),
    async during(next: () => Promise<void>): Promise<void> {
      underWay++;
      if (underWay === crowdSize) lastAt = performance.now();
      try {
        await next();
      } finally {
        if (underWay >= crowdSize) {
          const now = performance.now();
          slotMs += (now - lastAt - slotMs) * newestWeight;
          lastAt = now;
        }
        underWay--;
      }
    },
  };
}

/** What a request is; a batch is what the most important of its calls is. */
function kindOf(method: string, path: string): Kind {
  // Also what only asks how far an upload is: a client of tus begins with that, and gives up where it is refused.
  if (path.startsWith("/uploads/")) return "upload";
  if (method === "GET" || method === "HEAD") return "read";
  return path
    .slice(path.lastIndexOf("/") + 1)
    .split(",")
    .map((procedure): Kind => kinds[procedure] ?? "write")
    .reduce((one, other) => (limits[other] > limits[one] ? other : one));
}

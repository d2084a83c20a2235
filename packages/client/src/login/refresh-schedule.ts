import type { AppRouter } from "@carillon/api";
import type { inferRouterOutputs } from "@trpc/server";

/** New tokens as the service answers them. */
export type Tokens = inferRouterOutputs<AppRouter>["auth"]["refresh"];

export interface RefreshSchedule {
  /** Refreshes when the service advises it for these tokens. */
  follow(tokens: Tokens): void;
  stop(): void;
}

/**
 * Refreshes once when it is time to. Where that fails it goes on trying, `pauseMs` after each failure: the service
 * may be out of reach for as long as the page is open.
 */
export function refreshSchedule(refresh: () => Promise<unknown>, pauseMs: number): RefreshSchedule {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = true;

  const refreshIn = (ms: number) => {
    stopped = false;
    clearTimeout(timer);
    timer = setTimeout(() => {
      refresh().catch(() => !stopped && refreshIn(pauseMs));
    }, ms);
    inBackground(timer);
  };

  return {
    follow: (tokens) => refreshIn(untilNextRefresh(tokens)),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** In milliseconds. Both moments are by the service's clock: this device's may be wrong. */
function untilNextRefresh({ accessToken, nextRefresh }: Tokens): number {
  const [, claims = ""] = accessToken.split(".");
  const { iat } = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/")));
  return Math.max(Date.parse(nextRefresh) - iat * 1000, 0);
}

/** Node would not end before its timers; a browser's timer is a number. */
function inBackground(timer: unknown): void {
  if (typeof timer === "object") (timer as NodeJS.Timeout).unref();
}

import type { AppRouter } from "@carillon/api";
import { createTRPCClient, httpLink, TRPCClientError } from "@trpc/client";
import type { inferRouterInputs, inferRouterOutputs } from "@trpc/server";
import { retryWhenBusy, type Wait } from "../http/retry-when-busy.ts";
import { renewExpired } from "./renew-expired.ts";

type Answers = inferRouterOutputs<AppRouter>["auth"];
/** A login as the service answers it. */
export type Login = Answers["login"];
/** New tokens as the service answers them. */
export type Tokens = Answers["refresh"];

export type Credentials = Pick<
  inferRouterInputs<AppRouter>["auth"]["login"],
  "tenant" | "username" | "password"
>;

/** Where a session outlives the page: `localStorage`, or anything that keeps strings by name. */
export type SessionStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export interface SessionOptions {
  /** The gateway's address. */
  readonly url: string;
  readonly storage: SessionStorage;
  /** For how long a call that has to wait is sent again, in milliseconds; two minutes if left out. */
  readonly patienceMs?: number;
  /** Told of every pause, so that a page can show it. */
  readonly onWait?: (wait: Wait) => void;
  /** Told when the session has ended by itself: somebody has to log in again. */
  readonly onEnded?: () => void;
}

/** Somebody's session, which is kept alive until it ends. */
export interface Session {
  /** The platform's address, as `openSession` was given it. */
  readonly url: string;
  /** The whole API. Calls carry the access token; one that is refused as expired is sent again with a new one. */
  readonly client: ReturnType<typeof createTRPCClient<AppRouter>>;
  /**
   * Logs in, in place of the user before. Throws a `TRPCClientError` with the `errorCode` `login_refused`,
   * `login_locked` or `tenant_unknown`; `busy` when patience ends.
   */
  login(credentials: Credentials): Promise<Login>;
  /** Takes up the session that the storage has; undefined if it has none, or one that has ended. */
  resume(): Promise<Tokens | undefined>;
  /** Ends the session, in all tabs of this device. */
  logout(): Promise<void>;
  /** Stops keeping the session alive. It can be resumed. */
  close(): void;
}

const usualPatienceMs = 120_000;
const refreshTokenItem = "carillon.refreshToken";

/** One for each account: classmates may share a device. */
const deviceTokenItem = ({ tenant, username }: Credentials) =>
  `carillon.deviceToken.${tenant.trim().toLowerCase()}/${username.trim().toLowerCase()}`;

/**
 * Opens a session with the platform at `url`: logs in or takes up what the storage has, and gets a new access token when
 * the service advises it (`nextRefresh`), which is before the next bell. Tabs that share a storage share the session.
 *
 * @example
 * const session = openSession({ url: location.origin, storage: localStorage, onEnded: showLogin });
 * if (!(await session.resume())) await session.login({ tenant, username, password });
 * const me = await session.client.people.me.query();
 */
export function openSession(options: SessionOptions): Session {
  const { url, storage, patienceMs = usualPatienceMs, onWait, onEnded } = options;
  const address = `${url}/trpc`;
  const waiting = retryWhenBusy({ patienceMs, onWait });
  const anonymous = createTRPCClient<AppRouter>({ links: [waiting, httpLink({ url: address })] });

  let current: Tokens | undefined;
  let refreshing: Promise<Tokens> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const close = () => {
    clearTimeout(timer);
    current = undefined;
  };

  const end = () => {
    const wasOpen = current !== undefined;
    close();
    if (wasOpen) onEnded?.();
  };

  const refreshIn = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // Where the service cannot be reached, this goes on trying as long as the page is open.
      refresh().catch(() => current && refreshIn(patienceMs));
    }, ms);
    inBackground(timer);
  };

  const begin = <Answer extends Tokens>(login: Answer): Answer => {
    current = login;
    storage.setItem(refreshTokenItem, login.refreshToken);
    refreshIn(untilNextRefresh(login));
    return login;
  };

  const refreshOnce = async (): Promise<Tokens> => {
    const known = current;
    // Another tab may have refreshed meanwhile: the storage has the newest.
    const refreshToken = storage.getItem(refreshTokenItem);
    try {
      if (refreshToken === null) throw new SessionLeft();
      const login = await anonymous.auth.refresh.mutate({ refreshToken });
      if (storage.getItem(refreshTokenItem) === null) throw new SessionLeft();
      if (known && known.userId !== login.userId) throw new SessionLeft();
      return begin(login);
    } catch (error) {
      if (isOver(error)) storage.removeItem(refreshTokenItem);
      if (isOver(error) || error instanceof SessionLeft) end();
      throw error;
    }
  };

  /** Gets a new access token; calls that ask while one is on its way get that one. */
  const refresh = (): Promise<Tokens> => {
    refreshing ??= refreshOnce().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  };

  const client = createTRPCClient<AppRouter>({
    links: [
      renewExpired({ current: () => current?.accessToken, renew: refresh, ended: end }),
      waiting,
      httpLink({
        url: address,
        headers: () => (current ? { authorization: `Bearer ${current.accessToken}` } : {}),
      }),
    ],
  });

  return {
    url,
    client,
    close,
    async login(credentials) {
      const item = deviceTokenItem(credentials);
      const deviceToken = storage.getItem(item) ?? undefined;
      const login = await anonymous.auth.login.mutate({ ...credentials, deviceToken });
      storage.setItem(item, login.deviceToken);
      return begin(login);
    },
    async resume() {
      if (storage.getItem(refreshTokenItem) === null) return undefined;
      try {
        return await refresh();
      } catch (error) {
        if (isOver(error)) return undefined;
        throw error;
      }
    },
    async logout() {
      try {
        await client.auth.logout.mutate();
      } catch (error) {
        if (!isOver(error)) throw error;
      } finally {
        storage.removeItem(refreshTokenItem);
        close();
      }
    },
  };
}

/** Thrown to a caller in a tab whose session was left in another: logged out, or taken by somebody else. */
class SessionLeft extends Error {
  constructor() {
    super("The session was left in another tab: log in again.");
  }
}

/** Whether the service will not take the refresh token again. */
const isOver = (error: unknown): boolean =>
  error instanceof TRPCClientError && ["session_ended", "token_invalid"].includes(error.data?.errorCode);

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

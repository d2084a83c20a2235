import type { AppRouter } from "@carillon/api";
import { createTRPCClient, httpLink } from "@trpc/client";
import type { inferRouterOutputs } from "@trpc/server";
import { retryWhenBusy, type Wait } from "../http/retry-when-busy.ts";
import { isOver, liveTokens } from "./live-tokens.ts";
import type { Tokens } from "./refresh-schedule.ts";
import { renewExpired } from "./renew-expired.ts";
import { type Credentials, type SessionStorage, tokenStore } from "./token-store.ts";

/** A login as the service answers it. */
export type Login = inferRouterOutputs<AppRouter>["auth"]["login"];

export interface SessionOptions {
  /** The gateway's address. */
  readonly url: string;
  readonly storage: SessionStorage;
  /** For how long a call that has to wait is sent again, in milliseconds; two minutes if left out. */
  readonly patienceMs?: number;
  /** Told of every pause, so that a page can show it. */
  readonly onWait?: (wait: Wait) => void;
  /** Told when the session has ended by itself: the person has to log in again. */
  readonly onEnded?: () => void;
}

/** A person's session, which is kept alive until it ends. */
export interface Session {
  /** The platform's address, as `openSession` was given it. */
  readonly url: string;
  /** The whole API. Calls carry the access token; one that is refused as expired is sent again with a new one. */
  readonly client: ReturnType<typeof createTRPCClient<AppRouter>>;
  /**
   * Logs in, in place of the person who was here before. Throws a `TRPCClientError` with the `errorCode` `login_refused`,
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

/**
 * Opens a session with the platform at `url`: logs in or takes up what the storage has, and gets a new access token when
 * the service advises it (`nextRefresh`), which is before the next bell. Tabs that share a storage share the session.
 *
 * @example
 * ```ts
 * const session = openSession({ url: location.origin, storage: localStorage });
 * if (!(await session.resume())) {
 *   await session.login({ tenant: "riverside-high", username: "ada", password: prompt("Password") ?? "" });
 * }
 * const me = await session.client.people.me.query();
 * ```
 */
export function openSession(options: SessionOptions): Session {
  const { url, storage, patienceMs = usualPatienceMs, onWait, onEnded } = options;
  const address = `${url}/trpc`;
  const waiting = retryWhenBusy({ patienceMs, onWait });
  const anonymous = createTRPCClient<AppRouter>({ links: [waiting, httpLink({ url: address })] });
  const store = tokenStore(storage);
  const tokens = liveTokens({ store, anonymous, pauseMs: patienceMs, onEnded });

  const client = createTRPCClient<AppRouter>({
    links: [
      renewExpired({
        current: () => tokens.current?.accessToken,
        renew: tokens.refresh,
        ended: tokens.end,
      }),
      waiting,
      httpLink({
        url: address,
        headers: () => (tokens.current ? { authorization: `Bearer ${tokens.current.accessToken}` } : {}),
      }),
    ],
  });

  return {
    url,
    client,
    close: tokens.close,
    async login(credentials) {
      const deviceToken = store.deviceToken(credentials);
      const login = await anonymous.auth.login.mutate({ ...credentials, deviceToken });
      store.keepDeviceToken(credentials, login.deviceToken);
      tokens.take(login);
      return login;
    },
    async resume() {
      if (store.refreshToken === undefined) return undefined;
      try {
        return await tokens.refresh();
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
        store.dropRefreshToken();
        tokens.close();
      }
    },
  };
}

import type { AppRouter } from "@carillon/api";
import { type createTRPCClient, TRPCClientError } from "@trpc/client";
import { refreshSchedule, type Tokens } from "./refresh-schedule.ts";
import type { TokenStore } from "./token-store.ts";

/** The tokens that this page calls with, which are refreshed when the service advises it. */
export interface LiveTokens {
  /** Undefined while no session is open in this page. */
  readonly current: Tokens | undefined;
  /** Uses these from now on, and keeps them for other tabs. */
  take(tokens: Tokens): void;
  /** Gets new ones. A caller that asks while some are on their way gets those. */
  refresh(): Promise<Tokens>;
  /** Uses none any longer. */
  close(): void;
  /** As `close`, and tells of it, where a session was open. */
  end(): void;
}

export interface LiveTokensOptions {
  readonly store: TokenStore;
  readonly anonymous: ReturnType<typeof createTRPCClient<AppRouter>>;
  /** The pause after a refresh that failed, in milliseconds. */
  readonly pauseMs: number;
  /** Told when the session has ended by itself. */
  readonly onEnded: (() => void) | undefined;
}

/** Begins without any: they are taken from a login, or from a refresh by what the store has. */
export function liveTokens({ store, anonymous, pauseMs, onEnded }: LiveTokensOptions): LiveTokens {
  let current: Tokens | undefined;
  let refreshing: Promise<Tokens> | undefined;

  const close = () => {
    schedule.stop();
    current = undefined;
  };

  const end = () => {
    const wasOpen = current !== undefined;
    close();
    if (wasOpen) onEnded?.();
  };

  const take = (tokens: Tokens) => {
    current = tokens;
    store.keepRefreshToken(tokens.refreshToken);
    schedule.follow(tokens);
  };

  const refreshOnce = async (): Promise<Tokens> => {
    const known = current;
    // Another tab may have refreshed meanwhile: the store has the newest.
    const { refreshToken } = store;
    try {
      if (refreshToken === undefined) throw new SessionLeft();
      const tokens = await anonymous.auth.refresh.mutate({ refreshToken });
      if (store.refreshToken === undefined) throw new SessionLeft();
      if (known && known.userId !== tokens.userId) throw new SessionLeft();
      take(tokens);
      return tokens;
    } catch (error) {
      if (isOver(error)) store.dropRefreshToken();
      if (isOver(error) || error instanceof SessionLeft) end();
      throw error;
    }
  };

  const refresh = (): Promise<Tokens> => {
    refreshing ??= refreshOnce().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  };

  const schedule = refreshSchedule(refresh, pauseMs);

  return {
    get current() {
      return current;
    },
    take,
    refresh,
    close,
    end,
  };
}

/** Thrown to a caller in a tab whose session was left in another: logged out, or taken over by another person. */
class SessionLeft extends Error {
  constructor() {
    super("The session was left in another tab: log in again.");
  }
}

/** Whether the service will not take the refresh token again. */
export const isOver = (error: unknown): boolean =>
  error instanceof TRPCClientError && ["session_ended", "token_invalid"].includes(error.data?.errorCode);

import type { AppRouter } from "@carillon/api";
import type { inferRouterInputs } from "@trpc/server";

export type Credentials = Pick<
  inferRouterInputs<AppRouter>["auth"]["login"],
  "tenant" | "username" | "password"
>;

/** Where a session outlives the page: `localStorage`, or anything that keeps strings by name. */
export type SessionStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** The tokens that outlive a page, and that the tabs of a device share. */
export interface TokenStore {
  /** The session's newest; undefined while nobody is logged in on this device. */
  readonly refreshToken: string | undefined;
  keepRefreshToken(token: string): void;
  dropRefreshToken(): void;
  deviceToken(account: Account): string | undefined;
  keepDeviceToken(account: Account, token: string): void;
}

type Account = Pick<Credentials, "tenant" | "username">;

const refreshTokenItem = "carillon.refreshToken";

/** One for each account: classmates may share a device. */
const deviceTokenItem = ({ tenant, username }: Account) =>
  `carillon.deviceToken.${tenant.trim().toLowerCase()}/${username.trim().toLowerCase()}`;

export const tokenStore = (storage: SessionStorage): TokenStore => ({
  get refreshToken() {
    return storage.getItem(refreshTokenItem) ?? undefined;
  },
  keepRefreshToken: (token) => storage.setItem(refreshTokenItem, token),
  dropRefreshToken: () => storage.removeItem(refreshTokenItem),
  deviceToken: (account) => storage.getItem(deviceTokenItem(account)) ?? undefined,
  keepDeviceToken: (account, token) => storage.setItem(deviceTokenItem(account), token),
});

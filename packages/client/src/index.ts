export type { AppRouter } from "@carillon/api";
export { type RetryWhenBusyOptions, retryWhenBusy, type Wait } from "./http/retry-when-busy.ts";
export {
  type Credentials,
  type Login,
  openSession,
  type Session,
  type SessionOptions,
  type SessionStorage,
  type Tokens,
} from "./login/session.ts";
export { type HandedIn, type HandInOptions, handIn, type WorkToHandIn } from "./submissions/hand-in.ts";

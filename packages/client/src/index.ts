export type { AppRouter } from "@carillon/api";
export { type RetryWhenBusyOptions, retryWhenBusy, type Wait } from "./http/retry-when-busy.ts";
export type { Tokens } from "./login/refresh-schedule.ts";
export { type Login, openSession, type Session, type SessionOptions } from "./login/session.ts";
export type { Credentials, SessionStorage } from "./login/token-store.ts";
export { type HandedIn, type HandInOptions, handIn, type WorkToHandIn } from "./submissions/hand-in.ts";

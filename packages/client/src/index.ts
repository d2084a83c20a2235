export type { AppRouter } from "@carillon/api";
export { type ComeBackOptions, comeBack, type Wait } from "./come-back.ts";
export { type HandedIn, type HandInOptions, handIn, type WorkToHandIn } from "./hand-in.ts";
export {
  type Credentials,
  type Login,
  openSession,
  type Session,
  type SessionOptions,
  type SessionStorage,
  type Tokens,
} from "./session.ts";

import { type AuthServices, authRouter } from "../routers/auth.ts";
import { router } from "../trpc.ts";

/** What the worker `auth` serves. */
export const authTree = (services: AuthServices) => router({ auth: authRouter(services) });

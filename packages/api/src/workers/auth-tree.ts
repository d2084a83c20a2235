import { router } from "../http/trpc.ts";
import { type AuthServices, authRouter } from "../login/auth-router.ts";

/** What the worker `auth` serves. */
export const authTree = (services: AuthServices) => router({ auth: authRouter(services) });

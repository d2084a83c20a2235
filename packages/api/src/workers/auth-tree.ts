import { router } from "../http/trpc.ts";
import { authRouter } from "../login/auth-router.ts";
import type { AuthServices } from "../login/auth-services.ts";

/** What the worker `auth` serves. */
export const authTree = (services: AuthServices) => router({ auth: authRouter(services) });

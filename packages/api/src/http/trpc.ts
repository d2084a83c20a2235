import type { Instant } from "@carillon/domain";
import { initTRPC } from "@trpc/server";
import { errorShape, typedError } from "./errors.ts";

/** What is known of a request before anybody is identified. */
export interface Context {
  /** The `Authorization` header. */
  readonly authorization: string | undefined;
  /** When the request arrived, before any of it was read: this decides what is late. */
  readonly arrivedAt: Instant;
  /** Shared by everything that the request leads to: its events, its log entries and its errors. */
  readonly correlationId: string;
}

const t = initTRPC.context<Context>().create({
  isDev: false,
  errorFormatter: ({ error, path, ctx }) => errorShape(typedError(error), path, ctx?.correlationId),
});

export const { router, mergeRouters } = t;

/** A procedure that anybody may call. */
export const publicProcedure = t.procedure;

import { CarillonError } from "@carillon/domain";
import { TRPCError } from "@trpc/server";
import { expect, test } from "vitest";
import { z } from "zod";
import { errorResponse, errorShape, typedError } from "./errors.ts";

const thrownBy = (schema: z.ZodType, input: unknown) =>
  new TRPCError({ code: "BAD_REQUEST", cause: schema.safeParse(input).error });

test("what we throw on purpose keeps its code, also inside tRPC's own error", () => {
  const refused = new CarillonError("submission_key_taken", "Use a new key.");
  const expected = { code: "submission_key_taken", message: "Use a new key." };
  expect(typedError(refused)).toEqual(expected);
  expect(typedError(new TRPCError({ code: "INTERNAL_SERVER_ERROR", cause: refused }))).toEqual(expected);
});

test("an input that does not fit says where and what", () => {
  const schema = z.object({ file: z.object({ name: z.string() }) });
  expect(typedError(thrownBy(schema, { file: {} }))).toMatchObject({
    code: "malformed",
    message: expect.stringContaining("file.name"),
    issues: [{ path: "file.name" }],
  });
});

test("what nobody foresaw is internal and says nothing of itself", () => {
  const secret = "password=hunter2";
  const issue = z.string().safeParse(secret.length).error;
  for (const thrown of [
    new Error(secret),
    secret,
    new TRPCError({ code: "INTERNAL_SERVER_ERROR", cause: new Error(secret) }),
    new TRPCError({ code: "INTERNAL_SERVER_ERROR", message: secret }),
    new TRPCError({ code: "INTERNAL_SERVER_ERROR", cause: issue }),
  ]) {
    const shape = errorShape(typedError(thrown), "auth.login", "an-id");
    expect(shape.data).toEqual({
      code: "INTERNAL_SERVER_ERROR",
      httpStatus: 500,
      errorCode: "internal",
      path: "auth.login",
      correlationId: "an-id",
    });
    expect(JSON.stringify(shape)).not.toContain("hunter2");
  }
});

test.each([
  ["token_expired", 401],
  ["forbidden", 403],
  ["assignment_unknown", 404],
  ["submission_key_taken", 409],
  ["assignment_closed", 412],
  ["content_too_large", 413],
  ["unavailable", 503],
] as const)("%s is answered with status %i", async (code, status) => {
  const response = errorResponse({ code, message: "Try again." });
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({
    error: { message: "Try again.", data: { errorCode: code } },
  });
});

test("a client that is to try again later is told when, in the answer and, in whole seconds, in its header", async () => {
  const busy = new CarillonError("busy", "Wait.", { wait: { retryAfterMs: 1_200, place: 31 } });
  const response = errorResponse(typedError(busy));
  expect(response.status).toBe(429);
  expect(response.headers.get("retry-after")).toBe("2");
  expect(await response.json()).toMatchObject({ error: { data: { retryAfterMs: 1_200, place: 31 } } });
});

test("a schema may name the code of what it refuses", () => {
  const schema = z.object({
    hash: z
      .string()
      .refine(() => false, { error: "not that", params: { errorCode: "password_hash_unsupported" } }),
  });
  expect(typedError(thrownBy(schema, { hash: "x" }))).toMatchObject({
    code: "password_hash_unsupported",
    message: expect.stringContaining("hash: not that"),
    issues: [{ path: "hash" }],
  });
});

import { expect, test } from "vitest";
import { SessionId, tenantIdOf, userIdOf } from "../ids.ts";
import { given } from "../testing.ts";
import { sessionDecider } from "./session.ts";

const sessionId = SessionId.parse("0192f3a4-5b6c-7d8e-9f01-23456789abcd");
const userId = userIdOf(tenantIdOf("riverside-high"), "ada");
const login = { type: "Login", sessionId, userId, refusal: null } as const;
const loggedIn = { type: "LoggedIn", data: { sessionId, userId } } as const;
const revoke = { type: "RevokeSession", reason: "refresh_token_reused" } as const;
const revoked = {
  type: "SessionRevoked",
  data: { sessionId, userId, reason: "refresh_token_reused" },
} as const;

test("a login is written down once, as what it was", () => {
  expect(given(sessionDecider, []).when(login)).toEqual([loggedIn]);
  expect(given(sessionDecider, [loggedIn]).when(login)).toEqual([]);
  expect(given(sessionDecider, []).when({ ...login, refusal: "wrong_password" })).toEqual([
    { type: "LoginRefused", data: { sessionId, userId, reason: "wrong_password" } },
  ]);
});

test("a session ends once", () => {
  expect(given(sessionDecider, [loggedIn]).when(revoke)).toEqual([revoked]);
  expect(given(sessionDecider, [loggedIn, revoked]).when(revoke)).toEqual([]);
  expect(given(sessionDecider, []).when(revoke)).toMatchObject({ code: "session_ended" });
});

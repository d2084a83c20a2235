import { expect, test } from "vitest";
import { SessionId } from "../ids.ts";
import { given } from "../testing.ts";
import { type PersonEvent, PersonProfile, personDecider, Username } from "./person.ts";

const profile = PersonProfile.parse({ username: "Ada", name: "Ada", email: null });
const enroll = { type: "EnrollUser", profile, roles: ["student" as const], passwordHash: null } as const;
const hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA";
const enrolled: PersonEvent = { type: "UserEnrolled", data: { ...profile, roles: ["student"] } };

test("a username is kept in lower case", () => {
  expect(profile.username).toBe("ada");
  expect(Username.safeParse("a b").success).toBe(false);
});

test("somebody is enrolled, with or without a password", () => {
  expect(given(personDecider, []).when({ ...enroll, roles: ["student"] })).toEqual([enrolled]);
  expect(given(personDecider, []).when({ ...enroll, roles: ["student"], passwordHash: hash })).toEqual([
    enrolled,
    { type: "PasswordSet", data: { hash, temporary: false } },
  ]);
});

test("enrolling somebody again changes nothing, not even the password", () => {
  expect(
    given(personDecider, [enrolled]).when({ ...enroll, roles: ["student"], passwordHash: hash }),
  ).toEqual([]);
});

test("a username belongs to the person to whom it was given first", () => {
  const other = { ...profile, name: "Another Ada" };
  expect(
    given(personDecider, [enrolled]).when({ ...enroll, roles: ["student"], profile: other }),
  ).toMatchObject({
    code: "username_taken",
  });
});

test("roles are a set: order and repetition say nothing", () => {
  const assign = given(personDecider, [enrolled]).when({
    type: "AssignRoles",
    roles: ["admin", "teacher", "admin"],
  });
  expect(assign).toEqual([{ type: "UserRolesAssigned", data: { roles: ["teacher", "admin"] } }]);
  expect(
    given(personDecider, [enrolled]).when({ type: "AssignRoles", roles: ["student", "student"] }),
  ).toEqual([]);
});

test("nobody's roles and password cannot be changed", () => {
  expect(given(personDecider, []).when({ type: "AssignRoles", roles: ["admin"] })).toMatchObject({
    code: "user_unknown",
  });
  expect(given(personDecider, []).when({ type: "ResetPassword", passwordHash: hash })).toMatchObject({
    code: "user_unknown",
  });
});

const sessionId = SessionId.parse("0192f3a4-5b6c-7d8e-9f01-23456789abcd");
const stronger = `${hash}Zg`;
const withPassword: PersonEvent[] = [enrolled, { type: "PasswordSet", data: { hash, temporary: false } }];

test("a changed password ends every other session", () => {
  const change = { type: "ChangePassword", passwordHash: stronger, sessionId } as const;
  expect(given(personDecider, withPassword).when(change)).toEqual([
    { type: "PasswordSet", data: { hash: stronger, temporary: false } },
    { type: "SessionsRevoked", data: { reason: "password_changed", except: sessionId } },
  ]);
});

test("a password that somebody else chose is temporary and ends every session", () => {
  expect(given(personDecider, withPassword).when({ type: "ResetPassword", passwordHash: stronger })).toEqual([
    { type: "PasswordSet", data: { hash: stronger, temporary: true } },
    { type: "SessionsRevoked", data: { reason: "password_reset", except: null } },
  ]);
});

test("a hash is upgraded only while its password is the one that counts", () => {
  const upgrade = { type: "UpgradePasswordHash", from: hash, to: stronger } as const;
  const upgraded: PersonEvent = { type: "PasswordHashUpgraded", data: { hash: stronger } };
  expect(given(personDecider, withPassword).when(upgrade)).toEqual([upgraded]);
  expect(given(personDecider, [...withPassword, upgraded]).when(upgrade)).toEqual([]);
});

import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { tenantIdOf, userIdOf } from "@carillon/domain";
import { expect, test } from "vitest";
import { deviceTokenMs, deviceTokens } from "./device-token.ts";

const key = Buffer.alloc(32, 7).toString("base64url");
const tokens = deviceTokens(key);
const tenantId = tenantIdOf("riverside-high");
const ada = userIdOf(tenantId, "ada");
const now = new Date("2026-09-01T08:59:00Z");
const later = (milliseconds: number) => new Date(now.getTime() + milliseconds);

test("a device stays the same device when its token is renewed", () => {
  const device = tokens.read(tenantId, ada, tokens.make(tenantId, ada, now), now);
  expect(device?.deviceId).toMatch(/^[0-9a-f-]{36}$/);
  const renewed = tokens.make(tenantId, ada, later(1_000), device);
  expect(tokens.read(tenantId, ada, renewed, now)).toEqual(device);
});

test("a token is worth nothing to another person, or to the same name at another school", () => {
  const token = tokens.make(tenantId, ada, now);
  const elsewhere = tenantIdOf("hillside-high");
  expect(tokens.read(tenantId, userIdOf(tenantId, "eve"), token, now)).toBeUndefined();
  expect(tokens.read(elsewhere, userIdOf(elsewhere, "ada"), token, now)).toBeUndefined();
});

test("a token that we did not make is none, also one that is signed with the refresh tokens' own key", () => {
  const token = tokens.make(tenantId, ada, now);
  const [payload = ""] = token.split(".");
  const signature = createHmac("sha256", Buffer.from(key, "base64url")).update(payload).digest("base64url");
  const forged = `${payload}.${signature}`;
  for (const bad of [forged, token.slice(0, -6), "nonsense", ""]) {
    expect(tokens.read(tenantId, ada, bad, now)).toBeUndefined();
  }
});

test("a device is forgotten after 400 days without a login", () => {
  const token = tokens.make(tenantId, ada, now);
  expect(tokens.read(tenantId, ada, token, later(deviceTokenMs - 1))).toBeDefined();
  expect(tokens.read(tenantId, ada, token, later(deviceTokenMs))).toBeUndefined();
});

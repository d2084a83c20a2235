import { describe, expect, test } from "vitest";
import { given } from "../testing.ts";
import { BellTimes, type TenantEvent, TenantProfile, tenantDecider } from "./tenant.ts";

const profile = TenantProfile.parse({
  name: "Riverside High",
  slug: "riverside-high",
  region: "eu-west",
  tier: "shared",
  timeZone: "Europe/London",
  locale: "en-GB",
  branding: { colour: "#1a2b3c", logoUrl: null },
});
const enrolled: TenantEvent = { type: "TenantEnrolled", data: profile };
const enroll = { type: "EnrollTenant", profile } as const;

test("a school is enrolled", () => {
  expect(given(tenantDecider, []).when(enroll)).toEqual([enrolled]);
});

test("enrolling the same school again changes nothing", () => {
  expect(given(tenantDecider, [enrolled]).when(enroll)).toEqual([]);
});

test("a slug belongs to the school that came first", () => {
  const other = { ...profile, name: "Riverside Primary" };
  expect(given(tenantDecider, [enrolled]).when({ ...enroll, profile: other })).toMatchObject({
    code: "tenant_slug_taken",
  });
});

test("bell times are set for a school that there is, and set again change nothing", () => {
  const bellTimes = BellTimes.parse([{ time: "08:59", days: [1, 2, 3, 4, 5] }]);
  const set = { type: "SetBellTimes", bellTimes } as const;
  const event: TenantEvent = { type: "BellTimesSet", data: { bellTimes } };
  expect(given(tenantDecider, [enrolled]).when(set)).toEqual([event]);
  expect(given(tenantDecider, [enrolled, event]).when(set)).toEqual([]);
  expect(given(tenantDecider, []).when(set)).toMatchObject({ code: "tenant_unknown" });
});

test.each(["8:59", "24:00", "08:60", "noon"])("%s is no bell time", (time) => {
  expect(BellTimes.safeParse([{ time, days: [1] }]).success).toBe(false);
});

describe("a profile is refused for", () => {
  test.each([
    ["a slug with capitals", { slug: "Riverside" }],
    ["a slug that ends in a hyphen", { slug: "riverside-" }],
    ["an unknown time zone", { timeZone: "Europe/Atlantis" }],
    ["a locale that is no language tag", { locale: "english please" }],
    ["an unknown tier", { tier: "penthouse" }],
    ["a logo without TLS", { branding: { colour: "#1a2b3c", logoUrl: "http://example.org/logo.svg" } }],
    ["an empty name", { name: "  " }],
  ])("%s", (_what, wrong) => {
    expect(TenantProfile.safeParse({ ...profile, ...wrong }).success).toBe(false);
  });
});

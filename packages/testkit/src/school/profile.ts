import { randomBytes } from "node:crypto";
import type { TenantProfile } from "@carillon/domain";

/** A school's profile; everything but its slug and time zone is the same for all. */
export const schoolProfile = (slug: string, timeZone = "Europe/London"): TenantProfile => ({
  name: `School ${slug}`,
  slug,
  region: "eu-west",
  tier: "shared",
  timeZone,
  locale: "en-GB",
  branding: { colour: "#1a2b3c", logoUrl: null },
});

/** A slug that no other school of the run has, also where a test runs again while its servers stay. */
export const newSlug = (name: string): string => `${name}-${randomBytes(4).toString("hex")}`;

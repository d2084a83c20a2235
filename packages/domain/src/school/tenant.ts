import { z } from "zod";
import { accept, type Decider, refuse, sameFact } from "../decider.ts";
import { type EventOf, eventType } from "../event-type.ts";
import { maxNameLength } from "../limits.ts";

/** The short name of a school in addresses and commands: `riverside-high`. */
export const Slug = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "use 1 to 63 of a-z, 0-9 and inner hyphens");

export const TimeZone = z.string().refine(isTimeZone, "use an IANA time zone, such as Europe/London");

/** How apart a tenant's data is kept: in shared tables, in a schema or in a database of its own. */
export const Tier = z.enum(["shared", "schema", "database"]);

/** Everything that is fixed when a school is enrolled. */
export const TenantProfile = z.object({
  name: z.string().trim().min(1).max(maxNameLength),
  slug: Slug,
  region: z.string().regex(/^[a-z0-9-]{2,32}$/, "use 2 to 32 of a-z, 0-9 and hyphens"),
  tier: Tier,
  timeZone: TimeZone,
  locale: z.string().refine(isLocale, "use a BCP 47 language tag, such as en-GB"),
  branding: z.object({
    colour: z.string().regex(/^#[0-9a-f]{6}$/i, "use a colour such as #1a2b3c"),
    logoUrl: z.url({ protocol: /^https$/ }).nullable(),
  }),
});
export type TenantProfile = z.infer<typeof TenantProfile>;

const Weekday = z.int().min(1).max(7);

/** When a bell rings, by the clock of the school: `time` is `HH:MM`; days count from Monday, 1, to Sunday, 7. */
export const BellTime = z.object({
  time: z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, "use a time such as 08:59"),
  days: z.array(Weekday).min(1).max(7),
});
export type BellTime = z.infer<typeof BellTime>;

export const BellTimes = z.array(BellTime).max(50);

export const tenantEvents = {
  TenantEnrolled: eventType(TenantProfile),
  /** When everybody comes at once; clients renew their tokens before. */
  BellTimesSet: eventType(z.object({ bellTimes: BellTimes })),
};
export type TenantEvent = EventOf<typeof tenantEvents>;

export type TenantCommand =
  | { type: "EnrollTenant"; profile: TenantProfile }
  | { type: "SetBellTimes"; bellTimes: BellTime[] };

export type TenantState = { profile: TenantProfile; bellTimes: BellTime[] } | undefined;

export const tenantDecider: Decider<TenantCommand, TenantEvent, TenantState, "tenant"> = {
  category: "tenant",
  initial: undefined,
  decide(command, state) {
    if (command.type === "SetBellTimes") {
      if (!state) return refuse("tenant_unknown", "There is no such school.");
      if (sameFact(state.bellTimes, command.bellTimes)) return accept();
      return accept({ type: "BellTimesSet", data: { bellTimes: command.bellTimes } });
    }
    const { profile } = command;
    if (!state) return accept({ type: "TenantEnrolled", data: profile });
    if (sameFact(state.profile, profile)) return accept();
    return refuse(
      "tenant_slug_taken",
      `The slug "${profile.slug}" belongs to another school: choose another.`,
    );
  },
  evolve(state, event) {
    if (event.type === "TenantEnrolled") return { profile: event.data, bellTimes: [] };
    return state && { ...state, bellTimes: event.data.bellTimes };
  },
};

/** Every fold of a school asks about the same few names, and to ask takes a hundred times as long as the rest of it. */
const timeZones = new Set<string>();

function isTimeZone(name: string): boolean {
  if (timeZones.has(name)) return true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    timeZones.add(name);
    return true;
  } catch {
    return false;
  }
}

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

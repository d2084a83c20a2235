import { z } from "zod";

/** A moment in UTC with milliseconds, `2026-09-01T08:59:00.000Z`: as text it sorts by time. */
export const Instant = z.iso.datetime({ precision: 3 }).brand<"Instant">();
export type Instant = z.infer<typeof Instant>;

/** A moment as a client may send it: any offset and precision. Parsed to an `Instant`. */
export const InstantInput = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text).toISOString() as Instant);

/** A calendar day without a place on earth, `2026-09-01`. */
export const CalendarDate = z.iso.date();

/** A `Date` as an `Instant`. */
export const instantOf = (date: Date) => date.toISOString() as Instant;

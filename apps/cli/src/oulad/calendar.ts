import { type Instant, instantOf } from "@carillon/domain";

const dayMs = 86_400_000;

/** The first day of a presentation, UTC: of `2013J` 1 October 2013, of `2013B` 1 February 2013. */
export function firstDay(presentation: string): string {
  const month = presentation.endsWith("J") ? "10" : "02";
  return `${presentation.slice(0, 4)}-${month}-01`;
}

const startOfDay = (presentation: string, day: number) =>
  Date.parse(`${firstDay(presentation)}T00:00:00Z`) + day * dayMs;

/** The middle of a presentation's day: the dataset knows the day of what happened, not the hour. */
export const duringDay = (presentation: string, day: number): Instant =>
  instantOf(new Date(startOfDay(presentation, day) + dayMs / 2));

/** 23:59:59 of a presentation's day: until then work is in time. */
export const endOfDay = (presentation: string, day: number): Instant =>
  instantOf(new Date(startOfDay(presentation, day) + dayMs - 1000));

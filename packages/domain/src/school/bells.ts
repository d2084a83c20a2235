import type { BellTime } from "./tenant.ts";

/** The bells of a school, by its own clock. */
export interface Bells {
  readonly timeZone: string;
  readonly bellTimes: readonly BellTime[];
}

const minuteMs = 60_000;

/**
 * The moments in a span at which a bell rings. It rings when the school's clock says so: twice where an hour is
 * repeated in autumn, not at all in the hour that is left out in spring.
 */
export function bellsBetween({ timeZone, bellTimes }: Bells, from: number, to: number): number[] {
  if (bellTimes.length === 0) return [];
  const wanted = new Set(bellTimes.flatMap(({ time, days }) => days.map((day) => `${day} ${time}`)));
  const clock = clockOf(timeZone);
  const ringing: number[] = [];
  for (let at = Math.ceil(from / minuteMs) * minuteMs; at < to; at += minuteMs) {
    if (wanted.has(clock(at))) ringing.push(at);
  }
  return ringing;
}

const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const maxShown = 120;
const clocks = new Map<string, (at: number) => string>();

/** A clock that shows weekday and time in a time zone: `1 08:59`. */
function clockOf(timeZone: string): (at: number) => string {
  const known = clocks.get(timeZone);
  if (known) return known;
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  // Everybody asks for the same few minutes, and to format one takes microseconds.
  const shown = new Map<number, string>();
  const clock = (at: number) => {
    const known = shown.get(at);
    if (known) return known;
    const {
      weekday = "",
      hour,
      minute,
    } = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const text = `${weekdays.indexOf(weekday) + 1} ${hour}:${minute}`;
    if (shown.size >= maxShown) shown.clear();
    shown.set(at, text);
    return text;
  };
  clocks.set(timeZone, clock);
  return clock;
}

import { accessTokenSeconds } from "../limits.ts";
import { type Bells, bellsBetween } from "../school/bells.ts";
import { type Instant, instantOf } from "../time.ts";

/** A span of time: milliseconds since 1970, the end not included. */
type Span = readonly [from: number, to: number];

const minuteMs = 60_000;
const life = accessTokenSeconds * 1000;
/** A token is renewed after this part of its life, where no bell says otherwise. */
const ordinary: Span = [0.6 * life, 0.85 * life];
/** Around a bell nobody renews a token. */
const quietBefore = minuteMs;
const quietAfter = 2 * minuteMs;
/** A token that is no older than this at a bell is renewed ordinarily only when the bell is over. */
const freshAtBell = ordinary[0] - quietAfter;

/**
 * When the holder of a token that is issued at `now` should renew it: ordinarily after 60 to 85 % of its life. With a
 * bell in between, everybody whose token would be older than four minutes at the bell renews it in the four minutes
 * before, but not in the last; so nobody has to from then until two minutes after the bell. Where bells
 * leave no such room, it is the ordinary time.
 *
 * @param random where in its span the moment is, from 0 to less than 1: the span's moments are equally likely
 */
export function nextRefresh(now: Instant, bells: Bells, random: number): Instant {
  const issued = Date.parse(now);
  const usual: Span = [issued + ordinary[0], issued + ordinary[1]];
  const ringing = bellsBetween(bells, issued - quietAfter, usual[1] + quietBefore);
  const beforeBells = ringing
    .filter((bell) => bell - freshAtBell > issued)
    .map((bell): Span => [bell - freshAtBell, bell - quietBefore]);
  const quiet = ringing.map((bell): Span => [bell - quietBefore, bell + quietAfter]);
  for (const span of [...beforeBells, usual]) {
    const room = without(span, quiet);
    if (room.length > 0) return instantOf(new Date(momentIn(room, random)));
  }
  return instantOf(new Date(momentIn([usual], random)));
}

/** What is left of a span without others, in order. */
function without(span: Span, others: readonly Span[]): Span[] {
  return others.reduce<Span[]>(
    (left, [from, to]) =>
      left
        .flatMap(([start, end]): Span[] => [
          [start, Math.min(end, from)],
          [Math.max(start, to), end],
        ])
        .filter(([start, end]) => start < end),
    [span],
  );
}

/** The moment at `random` of the spans' whole length. */
function momentIn(spans: readonly Span[], random: number): number {
  const total = spans.reduce((sum, [from, to]) => sum + to - from, 0);
  let passed = random * total;
  for (const [from, to] of spans) {
    // Rounding must not reach the end.
    if (passed < to - from) return Math.min(Math.floor(from + passed), to - 1);
    passed -= to - from;
  }
  return spans[0]?.[0] ?? 0;
}

/** Random choices that a seed repeats. */
export interface Random {
  /** A number from 0 up to but not `below`. */
  number(below: number): number;
  /** Some of the items, `count` of them, none twice. */
  some<Item>(items: readonly Item[], count: number): Item[];
}

/** Mulberry32 (Tommy Ettinger, 2017): 32 bits of state are enough to choose victims. */
export function randomOf(seed: number): Random {
  let state = seed | 0;
  const number = (below: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below;
  };
  return {
    number,
    some(items, count) {
      const left = [...items];
      return Array.from({ length: Math.min(count, left.length) }, () =>
        left.splice(Math.floor(number(left.length)), 1),
      ).flat();
    },
  };
}

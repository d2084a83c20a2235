import { expect, test } from "vitest";
import { figure, median, quantile, table } from "./figures.ts";

test("the median is the middle one, or between the two in the middle", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([10, 1, 2, 3])).toBe(2.5);
  expect(() => median([])).toThrow("nothing was measured");
});

test("a quantile is the least value that so many are not above", () => {
  const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
  expect(quantile(hundred, 0.99)).toBe(99);
  expect(quantile(hundred, 0)).toBe(1);
  expect(quantile([5], 0.99)).toBe(5);
});

test("a figure compares medians, and has null where there is nothing to compare with", () => {
  expect(figure("f", "1/s", { carillon: [50, 40, 1000], ceiling: [100, 100, 100] })).toEqual({
    name: "f",
    unit: "1/s",
    carillon: 50,
    baseline: null,
    ceiling: 100,
    ratioToBaseline: null,
    ratioToCeiling: 0.5,
    rounds: { carillon: [50, 40, 1000], baseline: [], ceiling: [100, 100, 100] },
  });
});

test("the table has a line for each figure, with its rounds", () => {
  const figures = [
    figure("appends-per-second-1", "1/s", { carillon: [1234.5, 1100], baseline: [100], ceiling: [2000] }),
    figure("memory-mib", "MiB", { carillon: [99.25] }),
  ];
  expect(table(figures).split("\n")).toEqual([
    "figure                unit  carillon  baseline  ceiling  of baseline  of ceiling  rounds",
    "appends-per-second-1  1/s      1,167       100    2,000       1167 %        58 %  1,235 1,100",
    "memory-mib            MiB       99.3         -        -            -           -  99.3",
  ]);
});

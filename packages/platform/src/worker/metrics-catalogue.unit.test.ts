import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, expectTypeOf, test } from "vitest";
import { createMetrics } from "./metrics.ts";
import {
  counter,
  gauge,
  histogram,
  type MetricDefinition,
  type MetricLabel,
  metricsCatalogue,
} from "./metrics-catalogue.ts";

const operations = readFileSync(join(import.meta.dirname, "../../../../docs/operations.md"), "utf8");
const catalogue: [string, MetricDefinition][] = Object.entries(metricsCatalogue);

test("the table in docs/operations.md says what the catalogue says", () => {
  const rows = operations
    .split("\n")
    .filter((line) => line.startsWith("| `carillon_"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const inCode = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");
  expect(rows).toEqual(
    catalogue.map(([name, { kind, workers, labels, help }]) => [
      inCode([name]),
      kind,
      inCode(workers),
      inCode(labels),
      help,
    ]),
  );
});

test("the docs name no metric that there is not", () => {
  const mentioned = operations.match(/\bcarillon_[a-z]+_[a-z_]+/g) ?? [];
  expect(mentioned.filter((name) => !(name in metricsCatalogue))).toEqual([]);
});

test("names follow Prometheus: a counter ends in total, and what is in seconds says so", () => {
  for (const [name, { kind, unit }] of catalogue) {
    expect([name, name.endsWith("_total")]).toEqual([name, kind === "counter"]);
    expect([name, name.endsWith("_seconds")]).toEqual([name, unit === "seconds"]);
  }
});

test("what is made of the catalogue is in the worker's metrics, under its name and with its labels", async () => {
  const metrics = createMetrics("relay");
  const shed = counter(metrics, "carillon_calls_shed_total");
  shed.inc({ kind: "login" }, 2);
  expectTypeOf<MetricLabel<"carillon_calls_shed_total">>().toEqualTypeOf<"kind">();
  expectTypeOf<MetricLabel<"carillon_projection_stopped">>().toEqualTypeOf<"projection" | "partition">();
  gauge(metrics, "carillon_relay_lag_seconds", function () {
    this.set(1.5);
  });
  histogram(metrics, "carillon_work_seconds").observe({ handler: "grade" }, 0.3);
  const text = await metrics.metrics();
  expect(text).toContain(`carillon_calls_shed_total{kind="login",worker="relay"} 2`);
  expect(text).toContain(`# HELP carillon_relay_lag_seconds How old the last event was when it was sent`);
  expect(text).toContain(`carillon_relay_lag_seconds{worker="relay"} 1.5`);
  expect(text).toContain(`carillon_work_seconds_bucket{le="0.5",worker="relay",handler="grade"} 1`);
});

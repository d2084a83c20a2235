import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** What a metric is, as Prometheus and an operator see it. */
export interface MetricDefinition {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** Of what; a metric in seconds says so in its name. */
  readonly unit: string;
  /** Which workers have it. */
  readonly workers: readonly string[];
  readonly labels: readonly string[];
  /** Of a histogram: the upper bounds, in its unit. */
  readonly buckets?: readonly number[];
}

const answering = ["auth", "api", "reports"];

/** Every metric of every worker, by its name. `docs/operations.md` lists the same. */
export const metricsCatalogue = {
  carillon_calls_under_way: {
    kind: "gauge",
    help: "Calls that are being answered",
    unit: "calls",
    workers: answering,
    labels: [],
  },
  carillon_calls_shed_total: {
    kind: "counter",
    help: "Calls that were shed because too many were under way",
    unit: "calls",
    workers: answering,
    labels: ["kind"],
  },
  carillon_procedure_failures_total: {
    kind: "counter",
    help: "Calls that were answered with an error",
    unit: "calls",
    workers: answering,
    labels: ["code"],
  },
  carillon_login_locked_total: {
    kind: "counter",
    help: "Attempts to log in that were refused unread, because there were too many before: somebody is guessing",
    unit: "attempts",
    workers: ["auth"],
    labels: [],
  },
  carillon_login_refusals_dropped_total: {
    kind: "counter",
    help: "Refused logins that were not written to the event log",
    unit: "logins",
    workers: ["auth"],
    labels: [],
  },
  carillon_password_upgrades_total: {
    kind: "counter",
    help: "Weak password hashes met at a login: replaced, or left for the next login",
    unit: "hashes",
    workers: ["auth"],
    labels: ["result"],
  },
  carillon_hash_seconds: {
    kind: "histogram",
    help: "How long a password's hash took",
    unit: "seconds",
    workers: ["auth", "api"],
    labels: [],
    buckets: [0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  },
  carillon_hash_queue_length: {
    kind: "gauge",
    help: "Hashes that wait for a thread",
    unit: "hashes",
    workers: ["auth", "api"],
    labels: [],
  },
  carillon_hash_busy_total: {
    kind: "counter",
    help: "Hashes that were refused as busy: on arrival, or pushed out of the queue by another tenant's",
    unit: "hashes",
    workers: ["auth", "api"],
    labels: ["reason"],
  },
  carillon_relay_events_total: {
    kind: "counter",
    help: "Events sent to the bus",
    unit: "events",
    workers: ["relay"],
    labels: [],
  },
  carillon_relay_lag_seconds: {
    kind: "gauge",
    help: "How old the last event was when it was sent",
    unit: "seconds",
    workers: ["relay"],
    labels: [],
  },
  carillon_projection_events_total: {
    kind: "counter",
    help: "Events that the projection went past",
    unit: "events",
    workers: ["projector"],
    labels: ["projection"],
  },
  carillon_projection_lag_events: {
    kind: "gauge",
    help: "Events on the bus that the projection does not have yet",
    unit: "events",
    workers: ["projector"],
    labels: ["projection", "partition"],
  },
  carillon_projection_lag_seconds: {
    kind: "gauge",
    help: "Age of the last event that a lagging projection has; 0 where it has all",
    unit: "seconds",
    workers: ["projector"],
    labels: ["projection", "partition"],
  },
  carillon_projection_stopped: {
    kind: "gauge",
    help: "1 where an event stopped it, else 0",
    unit: "shards",
    workers: ["projector"],
    labels: ["projection", "partition"],
  },
  carillon_work_done_total: {
    kind: "counter",
    help: "Items of work that were done",
    unit: "items",
    workers: ["processing"],
    labels: ["handler"],
  },
  carillon_work_retries_total: {
    kind: "counter",
    help: "Failed tries of work",
    unit: "tries",
    workers: ["processing"],
    labels: ["handler"],
  },
  carillon_work_seconds: {
    kind: "histogram",
    help: "How long one item takes",
    unit: "seconds",
    workers: ["processing"],
    labels: ["handler"],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
  },
  carillon_work_dead: {
    kind: "gauge",
    help: "Work that could not be done and waits for somebody",
    unit: "items",
    workers: ["processing"],
    labels: ["handler"],
  },
  carillon_work_lag_seconds: {
    kind: "gauge",
    help: "For how long the oldest work has been due",
    unit: "seconds",
    workers: ["processing"],
    labels: ["handler"],
  },
} as const satisfies Record<string, MetricDefinition>;

type Catalogue = typeof metricsCatalogue;
/** The names of the metrics of one kind. */
export type MetricName<Kind extends MetricDefinition["kind"]> = {
  [Name in keyof Catalogue]: Catalogue[Name]["kind"] extends Kind ? Name : never;
}[keyof Catalogue];
/** The names of a metric's labels. */
export type MetricLabel<Name extends keyof Catalogue> = Catalogue[Name]["labels"][number];

/** Makes a counter of the catalogue. */
export const counter = <Name extends MetricName<"counter">>(metrics: Registry, name: Name) =>
  new Counter<MetricLabel<Name>>(configurationOf(metrics, name));

/** Makes a gauge of the catalogue. @param collect sets it each time that it is asked for */
export const gauge = <Name extends MetricName<"gauge">>(
  metrics: Registry,
  name: Name,
  collect?: (this: Gauge<MetricLabel<Name>>) => void | Promise<void>,
) => new Gauge<MetricLabel<Name>>({ ...configurationOf(metrics, name), ...(collect && { collect }) });

/** Makes a histogram of the catalogue. */
export const histogram = <Name extends MetricName<"histogram">>(metrics: Registry, name: Name) =>
  new Histogram<MetricLabel<Name>>({
    ...configurationOf(metrics, name),
    buckets: [...metricsCatalogue[name].buckets],
  });

const configurationOf = <Name extends keyof Catalogue>(metrics: Registry, name: Name) => ({
  name,
  help: metricsCatalogue[name].help,
  labelNames: [...metricsCatalogue[name].labels] as MetricLabel<Name>[],
  registers: [metrics],
});

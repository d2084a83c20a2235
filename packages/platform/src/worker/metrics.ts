import { Registry } from "prom-client";

export type { Registry } from "prom-client";

/** The metrics of one worker, each labelled with its name: what `probes` shows. */
export function createMetrics(worker: string): Registry {
  const metrics = new Registry();
  metrics.setDefaultLabels({ worker });
  return metrics;
}

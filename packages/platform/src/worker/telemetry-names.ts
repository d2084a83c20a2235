/** The name of every metric of the way from the log to the read models. */
export const telemetryNames = {
  /** Events that the relay sent to the bus. */
  relayedEvents: "carillon_relay_events_total",
  /** How old the last event was when the relay sent it. */
  relayLagSeconds: "carillon_relay_lag_seconds",
  /** Events that a projection went past, by projection. */
  projectedEvents: "carillon_projection_events_total",
  /** Events on the bus that a projection does not have yet, by projection and partition. */
  projectionLagEvents: "carillon_projection_lag_events",
  /** Age of the last event that a lagging projection has; 0 where it has all. By projection and partition. */
  projectionLagSeconds: "carillon_projection_lag_seconds",
  /** 1 where an event stopped it, else 0, by projection and partition. */
  projectionStopped: "carillon_projection_stopped",
  /** Items of work that were done, by step. */
  workDone: "carillon_work_done_total",
  /** Failed tries of work, by step. */
  workRetries: "carillon_work_retries_total",
  /** Work that could not be done and waits for somebody, by step. */
  workDead: "carillon_work_dead",
  /** For how long the oldest work of a step has been due. */
  workLagSeconds: "carillon_work_lag_seconds",
  /** How long one item takes, by step. */
  workSeconds: "carillon_work_seconds",
} as const;

import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/**
 * A structured log on stdout, one JSON line an entry. Entries carry ids and counts, never names, addresses,
 * passwords or tokens.
 */
export const createLogger = (worker: string): Logger =>
  pino({ base: { worker }, timestamp: pino.stdTimeFunctions.isoTime, level: "info" });

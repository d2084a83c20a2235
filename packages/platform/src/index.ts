export * from "./access-token.ts";
export * from "./bus.ts";
export * from "./event-log.ts";
export * from "./logger.ts";
export * from "./probes.ts";
export * from "./read-models.ts";
export * from "./receipt.ts";
export * from "./settings.ts";

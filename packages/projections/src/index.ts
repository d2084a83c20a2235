export * from "./migrate-databases.ts";
export { type Skip, skipPoison } from "./poison.ts";
export { type PartitionStatus, projectionStatus, type StoppedAt } from "./status.ts";

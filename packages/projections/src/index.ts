export * from "./migrate/migrate-databases.ts";
export { type Skip, skipPoison } from "./projector/poison.ts";
export { type PartitionStatus, projectionStatus, type StoppedAt } from "./projector/status.ts";

export * from "./migrate/migrate-databases.ts";
export { type Skip, skipPoison } from "./projector/poison.ts";
export {
  type PartitionProgress,
  type PartitionStatus,
  projectionStatus,
  withBacklog,
} from "./projector/status.ts";

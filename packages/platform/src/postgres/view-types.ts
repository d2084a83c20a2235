export type { AuthDatabase, LiveDatabase, ReportsDatabase } from "@carillon/domain";

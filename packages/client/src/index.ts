export type { AppRouter } from "@carillon/api";

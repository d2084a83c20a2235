import { type ReportsServices, reportsRouter } from "../routers/reports.ts";
import { router } from "../trpc.ts";

/** What the worker `reports` serves. */
export const reportsTree = (services: ReportsServices) => router({ reports: reportsRouter(services) });

import { router } from "../http/trpc.ts";
import { type ReportsServices, reportsRouter } from "../reports/reports-router.ts";

/** What the worker `reports` serves. */
export const reportsTree = (services: ReportsServices) => router({ reports: reportsRouter(services) });

import { CarillonError } from "@carillon/domain";
import type { Database, ReportsDatabase } from "@carillon/platform";
import { z } from "zod";
import type { Procedures } from "../http/authenticated-procedures.ts";
import { answer, Reading } from "../http/query-freshness.ts";
import { router } from "../http/trpc.ts";

/** What the procedures of the worker `reports` work with. */
export interface ReportsServices extends Procedures {
  readonly database: Database<ReportsDatabase>;
}

export const reportsRouter = ({ permitted, database }: ReportsServices) =>
  router({
    /** How a class is doing, assessment by assessment in the order of their codes. */
    classProgress: permitted("reports.classProgress")
      .input(Reading.extend({ class: z.string().trim().min(1).max(64) }))
      .query(async ({ ctx, input }) =>
        answer(
          await database.read(
            ctx.tenantId,
            { projection: "class_progress", atLeast: input.atLeast },
            async (tx) => {
              const found = await tx
                .selectFrom("class_progress.classes")
                .selectAll()
                .where("code", "=", input.class)
                .executeTakeFirst();
              if (!found) throw new CarillonError("class_unknown", "There is no such class at this school.");
              const rows = await tx
                .selectFrom("class_progress.assessments")
                .selectAll()
                .where("class_id", "=", found.class_id)
                .execute();
              return {
                class: found.code,
                lengthDays: found.length_days,
                registered: found.registered,
                withdrawn: found.withdrawn,
                assessments: rows.sort(byCode).map((row) => ({
                  assessment: row.code,
                  type: row.kind,
                  dueDay: row.due_day,
                  weight: row.weight,
                  submitted: row.submitted,
                  banked: row.banked,
                  late: row.late,
                  scored: row.scored,
                  meanScore: row.mean_score,
                  passed: row.passed,
                })),
              };
            },
          ),
        ),
      ),
  });

const codes = new Intl.Collator("en", { numeric: true });

/** In numerical order: A2 before A10. */
const byCode = (a: { code: string }, b: { code: string }) => codes.compare(a.code, b.code);

import {
  assessmentProgressColumns,
  CarillonError,
  classProgressColumns,
  fieldReader,
  type ReportsDatabase,
} from "@carillon/domain";
import type { Database } from "@carillon/platform";
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
              const { classId, code, ...progress } = fieldsOfClass(found);
              return { class: code, ...progress, assessments: rows.sort(byCode).map(asAssessment) };
            },
          ),
        ),
      ),
  });

const fieldsOfClass = fieldReader(classProgressColumns);
const fieldsOfAssessment = fieldReader(assessmentProgressColumns);

function asAssessment(row: ReportsDatabase["class_progress.assessments"]) {
  const { assignmentId, classId, code, kind, ...figures } = fieldsOfAssessment(row);
  return { assessment: code, type: kind, ...figures };
}

const codes = new Intl.Collator("en", { numeric: true });

/** In numerical order: A2 before A10. */
const byCode = (a: { code: string }, b: { code: string }) => codes.compare(a.code, b.code);

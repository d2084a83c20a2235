import { assignmentColumns, CarillonError, ClassId, fieldReader, seesEveryClass } from "@carillon/domain";
import type { z } from "zod";
import type { ApiServices } from "../../api-services.ts";
import { type Caller, personOf } from "../../http/command-envelope.ts";
import { answer, Reading } from "../../http/query-freshness.ts";

const fieldsOfAssignment = fieldReader(assignmentColumns);

export const AssignmentsInput = Reading.extend({ classId: ClassId });

/** Throws `class_unknown` and `not_a_member`. */
export const assignments = async (
  { database }: Pick<ApiServices, "database">,
  { tenantId, actor }: Caller,
  { classId, atLeast }: z.output<typeof AssignmentsInput>,
) =>
  answer(
    await database.read(tenantId, { projection: "directory", atLeast }, async (tx) => {
      const known = await tx
        .selectFrom("directory.classes")
        .select("class_id")
        .where("class_id", "=", classId)
        .executeTakeFirst();
      if (!known) throw new CarillonError("class_unknown", "There is no such class at this school.");
      const allowed =
        seesEveryClass(actor.roles) ||
        (await tx
          .selectFrom("directory.memberships")
          .select("role")
          .where("class_id", "=", classId)
          .where("user_id", "=", personOf({ actor }))
          .where("left_at", "is", null)
          .executeTakeFirst());
      if (!allowed) throw new CarillonError("not_a_member", "You are not in this class.");
      const rows = await tx
        .selectFrom("directory.assignments")
        .selectAll()
        .where("class_id", "=", classId)
        .orderBy("due_at", (order) => order.asc().nullsLast())
        .orderBy("code")
        .execute();
      return { assignments: rows.map(fieldsOfAssignment) };
    }),
  );

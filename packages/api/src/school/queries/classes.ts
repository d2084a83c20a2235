import {
  CarillonError,
  ClassId,
  classColumns,
  fieldReader,
  membershipColumns,
  personColumns,
  seesEveryClass,
} from "@carillon/domain";
import type { z } from "zod";
import type { ApiServices } from "../../api-services.ts";
import { type Caller, personOf } from "../../http/command-envelope.ts";
import { answer, Page, page, type Reading } from "../../http/query-freshness.ts";

const fieldsOfClass = fieldReader(classColumns);

const { userId, username, name } = personColumns;
const { role, joinedAt } = membershipColumns;
const fieldsOfMember = fieldReader({ userId, username, name, role, joinedAt });

type Services = Pick<ApiServices, "database">;

export const classes = async (
  { database }: Services,
  { tenantId, actor }: Caller,
  { atLeast }: z.output<typeof Reading>,
) =>
  answer(
    await database.read(tenantId, { projection: "directory", atLeast }, async (tx) => {
      let query = tx.selectFrom("directory.classes as class").selectAll("class").orderBy("class.code");
      if (!seesEveryClass(actor.roles)) {
        query = query
          .innerJoin("directory.memberships as membership", "membership.class_id", "class.class_id")
          .where("membership.user_id", "=", personOf({ actor }))
          .where("membership.left_at", "is", null);
      }
      return { classes: (await query.execute()).map(fieldsOfClass) };
    }),
  );

export const MembersInput = Page.extend({ classId: ClassId });

/** Throws `class_unknown`. */
export const members = async (
  { database }: Services,
  { tenantId }: Caller,
  { classId, atLeast, after = "", limit }: z.output<typeof MembersInput>,
) =>
  answer(
    await database.read(tenantId, { projection: "directory", atLeast }, async (tx) => {
      const known = await tx
        .selectFrom("directory.classes")
        .select("class_id")
        .where("class_id", "=", classId)
        .executeTakeFirst();
      if (!known) throw new CarillonError("class_unknown", "There is no such class at this school.");
      const rows = await tx
        .selectFrom("directory.memberships as membership")
        .innerJoin("directory.people as person", "person.user_id", "membership.user_id")
        .select(["person.user_id", "person.username", "person.name"])
        .select(["membership.role", "membership.joined_at"])
        .where("membership.class_id", "=", classId)
        .where("membership.left_at", "is", null)
        .where("person.username", ">", after)
        .orderBy("person.username")
        .limit(limit + 1)
        .execute();
      const { items, next } = page(rows, limit, ({ username }) => username);
      return {
        members: items.map(fieldsOfMember).map(({ role, ...member }) => ({ ...member, as: role })),
        next,
      };
    }),
  );

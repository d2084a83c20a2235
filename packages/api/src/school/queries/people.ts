import { CarillonError, fieldReader, instantOf, personColumns, personDecider } from "@carillon/domain";
import type { z } from "zod";
import type { ApiServices } from "../../api-services.ts";
import { type Caller, personOf } from "../../http/command-envelope.ts";
import { answer, type Page, page } from "../../http/query-freshness.ts";

const fieldsOfPerson = fieldReader(personColumns);

export const people = async (
  { database }: Pick<ApiServices, "database">,
  { tenantId }: Caller,
  { atLeast, after = "", limit }: z.output<typeof Page>,
) =>
  answer(
    await database.read(tenantId, { projection: "directory", atLeast }, async (tx) => {
      const rows = await tx
        .selectFrom("directory.people")
        .selectAll()
        .where("username", ">", after)
        .orderBy("username")
        .limit(limit + 1)
        .execute();
      const { items, next } = page(rows, limit, ({ username }) => username);
      return { people: items.map(fieldsOfPerson), next };
    }),
  );

/** From the caller's own stream. Throws `user_unknown`. */
export async function me({ eventLog }: Pick<ApiServices, "eventLog">, caller: Caller) {
  const { tenantId } = caller;
  const userId = personOf(caller);
  const { state, last } = await eventLog.load(personDecider, tenantId, userId);
  if (!state || !last) throw new CarillonError("user_unknown", "There is no such person at this school.");
  const { profile, roles } = state;
  return {
    userId,
    tenantId,
    ...profile,
    roles,
    asOf: { position: String(last.position), at: instantOf(new Date()) },
    stale: false,
  };
}

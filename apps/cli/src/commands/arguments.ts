import { CarillonError, Slug, type TenantId, tenantDecider, tenantIdOf } from "@carillon/domain";
import type { EventLog } from "@carillon/platform";
import { InvalidArgumentError } from "commander";
import { z } from "zod";

/** Parses a school's slug on the command line. */
export function slugArgument(text: string): string {
  const slug = Slug.safeParse(text);
  if (!slug.success) throw new InvalidArgumentError(slug.error.issues[0]?.message ?? "");
  return slug.data;
}

/** Parses an id on the command line. */
export function uuidArgument(text: string): string {
  const id = z.uuid().safeParse(text);
  if (!id.success) throw new InvalidArgumentError("use an id such as 0192f3a4-5b6c-7d8e-9f01-23456789abcd");
  return id.data;
}

/** The id of the school with this slug. Throws `tenant_unknown` if there is none. */
export async function tenantNamed(log: EventLog, slug: string): Promise<TenantId> {
  const tenantId = tenantIdOf(slug);
  const { state } = await log.load(tenantDecider, tenantId, tenantId);
  if (!state) throw new CarillonError("tenant_unknown", `There is no school "${slug}" on this platform.`);
  return tenantId;
}

import { column } from "../columns.ts";
import type { UserId } from "../ids.ts";
import type { Role } from "../school/person.ts";

/** What a login needs to know of a school: a single row. */
export const loginTenantColumns = { slug: column.text(), region: column.text() };

/** What a login needs to know of a person. */
export const accountColumns = {
  userId: column.uuid<UserId>(),
  username: column.text(),
  roles: column.texts<Role>(),
  passwordHash: column.orNull(column.text()),
};

export const credentialsViews = {
  "credentials.tenants": loginTenantColumns,
  "credentials.accounts": accountColumns,
};

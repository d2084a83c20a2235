import { rowProjection } from "../../../rows/projection.ts";
import { patch, put } from "../../../rows/row-change.ts";
import { rowTable } from "../../../rows/row-table.ts";
import { idOf } from "../../../rows/stream-id.ts";

const tenants = rowTable("credentials_v1.tenants", { slug: "text", region: "text" }, 0);

const accounts = rowTable(
  "credentials_v1.accounts",
  { user_id: "uuid", username: "text", roles: "text[]", password_hash: "text" },
  1,
);

/** What a login needs to know of a school and a person. */
export const credentials = rowProjection(
  { name: "credentials", version: 1, database: "auth" },
  {
    TenantEnrolled: ({ data: { slug, region } }) => put(tenants, { slug, region }),
    UserEnrolled: (event) => {
      const { username, roles } = event.data;
      return put(accounts, { user_id: idOf(event), username, roles, password_hash: null });
    },
    UserRolesAssigned: (event) => patch(accounts, { user_id: idOf(event) }, { roles: event.data.roles }),
    PasswordSet: (event) => patch(accounts, { user_id: idOf(event) }, { password_hash: event.data.hash }),
    PasswordHashUpgraded: (event) =>
      patch(accounts, { user_id: idOf(event) }, { password_hash: event.data.hash }),
  },
);

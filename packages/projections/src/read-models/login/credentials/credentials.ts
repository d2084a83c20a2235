import { rowProjection } from "../../../rows/projection.ts";
import { patch, put } from "../../../rows/row-change.ts";
import { idOf } from "../../../rows/stream-id.ts";
import { accounts, tenants, version } from "./credentials-tables.ts";

/** What a login needs to know of a school and a person. */
export const credentials = rowProjection(
  { name: "credentials", version, database: "auth" },
  {
    TenantEnrolled: ({ data }) => put(tenants, data),
    UserEnrolled: (event) => put(accounts, { ...event.data, userId: idOf(event), passwordHash: null }),
    UserRolesAssigned: (event) => patch(accounts, { userId: idOf(event) }, { roles: event.data.roles }),
    PasswordSet: (event) => patch(accounts, { userId: idOf(event) }, { passwordHash: event.data.hash }),
    PasswordHashUpgraded: (event) =>
      patch(accounts, { userId: idOf(event) }, { passwordHash: event.data.hash }),
  },
);

import {
  authorizeGrant,
  CarillonError,
  instantOf,
  PersonProfile,
  personDecider,
  Role,
  tenantDecider,
  UserId,
  userIdOf,
} from "@carillon/domain";
import { z } from "zod";
import { envelope, personOf } from "../http/command-envelope.ts";
import { answer, Page, page } from "../http/query-freshness.ts";
import { router } from "../http/trpc.ts";
import { ImportedPasswordHash, NewPassword } from "../login/passwords/input.ts";
import { refuseWeakPassword } from "../login/passwords/strength.ts";
import type { ApiServices } from "../workers/api-services.ts";

const Roles = z.array(Role).min(1);

const EnrollInput = PersonProfile.extend({
  email: PersonProfile.shape.email.default(null),
  roles: Roles,
  /** Without one, the person cannot log in with a password. */
  password: NewPassword.optional(),
  /** Instead of the password: its hash, from the system where the person had it. */
  passwordHash: ImportedPasswordHash.optional(),
}).refine(({ password, passwordHash }) => password === undefined || passwordHash === undefined, {
  path: ["passwordHash"],
  error: "give the password or its hash, not both",
});

export const peopleRouter = ({ permitted, eventLog, database, hashPool }: ApiServices) =>
  router({
    /**
     * Enrolls somebody. Enrolling him again as he is changes nothing, not even his password. Throws `password_weak` for
     * a password that is easily guessed.
     */
    enroll: permitted("people.enroll")
      .input(EnrollInput)
      .mutation(async ({ ctx, input: { roles, password, passwordHash: imported, ...profile } }) => {
        authorizeGrant(ctx.actor.roles, roles);
        const userId = userIdOf(ctx.tenantId, profile.username);
        let passwordHash = imported ?? null;
        if (password !== undefined) {
          const { state: school } = await eventLog.load(tenantDecider, ctx.tenantId, ctx.tenantId);
          const { slug = "", name = "" } = school?.profile ?? {};
          refuseWeakPassword(password, [profile.username, profile.name, slug, name]);
          passwordHash = await hashPool.hash(ctx.tenantId, password);
        }
        const { position } = await eventLog.execute(personDecider, ctx.tenantId, userId, [
          envelope(ctx, instantOf(new Date()), { type: "EnrollUser", profile, roles, passwordHash }),
        ]);
        return { userId, position: String(position) };
      }),

    assignRoles: permitted("people.assignRoles")
      .input(z.object({ userId: UserId, roles: Roles }))
      .mutation(async ({ ctx, input: { userId, roles } }) => {
        authorizeGrant(ctx.actor.roles, roles);
        const { position } = await eventLog.execute(personDecider, ctx.tenantId, userId, [
          envelope(ctx, instantOf(new Date()), { type: "AssignRoles", roles }),
        ]);
        return { position: String(position) };
      }),

    /** The school's people by username. */
    list: permitted("people.list")
      .input(Page.prefault({}))
      .query(async ({ ctx, input }) =>
        answer(
          await database.read(
            ctx.tenantId,
            { projection: "directory", atLeast: input.atLeast },
            async (tx) => {
              const rows = await tx
                .selectFrom("directory.people")
                .select(["user_id", "username", "name", "email", "roles"])
                .where("username", ">", input.after ?? "")
                .orderBy("username")
                .limit(input.limit + 1)
                .execute();
              const { items, next } = page(rows, input.limit, ({ username }) => username);
              return {
                people: items.map(({ user_id, ...person }) => ({ userId: user_id, ...person })),
                next,
              };
            },
          ),
        ),
      ),

    /** Who the caller is, from his own stream: never behind, also a second after he was enrolled. */
    me: permitted("people.me").query(async ({ ctx: { tenantId, actor } }) => {
      const { state, last } = await eventLog.load(personDecider, tenantId, personOf({ actor }));
      if (!state || !last) throw new CarillonError("user_unknown", "There is no such person at this school.");
      const { profile, roles } = state;
      return {
        userId: actor.sub,
        tenantId,
        ...profile,
        roles,
        asOf: { position: String(last.position), at: instantOf(new Date()) },
        stale: false,
      };
    }),
  });

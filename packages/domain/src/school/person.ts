import { z } from "zod";
import { accept, type Decider, refuse, sameFact } from "../decider.ts";
import { type EventOf, eventType } from "../event-type.ts";
import { SessionId } from "../ids.ts";
import { maxNameLength } from "../limits.ts";

/** What somebody may be at a school. */
export const Role = z.enum(["student", "teacher", "admin", "auditor", "operator"]);
export type Role = z.infer<typeof Role>;

const Roles = z.array(Role).min(1).max(Role.options.length);

export const Username = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9](?:[a-z0-9._@-]{0,126}[a-z0-9])?$/, "use 1 to 128 of a-z, 0-9, '.', '_', '@' and '-'");

export const PersonProfile = z.object({
  username: Username,
  name: z.string().trim().min(1).max(maxNameLength),
  email: z.email().nullable(),
});
export type PersonProfile = z.infer<typeof PersonProfile>;

/** A password as it is stored: a PHC string such as `$argon2id$v=19$m=19456,t=2,p=1$…`. Never a password. */
export const PasswordHash = z.string().startsWith("$").max(512);

export const personEvents = {
  UserEnrolled: eventType(PersonProfile.extend({ roles: Roles })),
  UserRolesAssigned: eventType(z.object({ roles: Roles })),
  /** `temporary`: somebody else chose it, so its owner is asked to choose another. */
  PasswordSet: eventType(z.object({ hash: PasswordHash, temporary: z.boolean() }), [
    (v1) => ({ ...z.looseObject({}).parse(v1), temporary: false }),
  ]),
  /** The same password under a stronger hash. */
  PasswordHashUpgraded: eventType(z.object({ hash: PasswordHash })),
  /** Every session that began before this has ended, but for `except`. */
  SessionsRevoked: eventType(
    z.object({
      reason: z.enum(["password_changed", "password_reset", "logged_out_everywhere"]),
      except: SessionId.nullable(),
    }),
  ),
};
export type PersonEvent = EventOf<typeof personEvents>;

export type PersonCommand =
  | { type: "EnrollUser"; profile: PersonProfile; roles: Role[]; passwordHash: string | null }
  | { type: "AssignRoles"; roles: Role[] }
  /** By its owner, in the session that goes on. */
  | { type: "ChangePassword"; passwordHash: string; sessionId: SessionId }
  /** By somebody else, who tells its owner. */
  | { type: "ResetPassword"; passwordHash: string }
  /** Changes nothing where the password is no longer the one that was hashed. */
  | { type: "UpgradePasswordHash"; from: string; to: string }
  | { type: "RevokeSessions"; except: SessionId | null };

export type PersonState =
  | { profile: PersonProfile; roles: Role[]; passwordHash: string | null; temporaryPassword: boolean }
  | undefined;

export const personDecider: Decider<PersonCommand, PersonEvent, PersonState, "user"> = {
  category: "user",
  initial: undefined,
  decide(command, state) {
    switch (command.type) {
      case "EnrollUser": {
        const { profile, roles, passwordHash } = command;
        if (state) {
          if (sameFact(state.profile, profile)) return accept();
          return refuse("username_taken", `The username "${profile.username}" is taken: choose another.`);
        }
        const enrolled: PersonEvent = {
          type: "UserEnrolled",
          data: { ...profile, roles: normalised(roles) },
        };
        if (passwordHash === null) return accept(enrolled);
        return accept<PersonEvent>(enrolled, {
          type: "PasswordSet",
          data: { hash: passwordHash, temporary: false },
        });
      }
      case "AssignRoles": {
        if (!state) return unknownPerson;
        const roles = normalised(command.roles);
        if (sameFact(state.roles, roles)) return accept();
        return accept({ type: "UserRolesAssigned", data: { roles } });
      }
      case "ChangePassword":
        if (!state) return unknownPerson;
        return accept<PersonEvent>(
          { type: "PasswordSet", data: { hash: command.passwordHash, temporary: false } },
          { type: "SessionsRevoked", data: { reason: "password_changed", except: command.sessionId } },
        );
      case "ResetPassword":
        if (!state) return unknownPerson;
        return accept<PersonEvent>(
          { type: "PasswordSet", data: { hash: command.passwordHash, temporary: true } },
          { type: "SessionsRevoked", data: { reason: "password_reset", except: null } },
        );
      case "UpgradePasswordHash":
        if (!state) return unknownPerson;
        if (state.passwordHash !== command.from) return accept();
        return accept({ type: "PasswordHashUpgraded", data: { hash: command.to } });
      case "RevokeSessions":
        if (!state) return unknownPerson;
        return accept({
          type: "SessionsRevoked",
          data: { reason: "logged_out_everywhere", except: command.except },
        });
    }
  },
  evolve(state, event) {
    switch (event.type) {
      case "UserEnrolled": {
        const { roles, ...profile } = event.data;
        return { profile, roles, passwordHash: null, temporaryPassword: false };
      }
      case "UserRolesAssigned":
        return state && { ...state, roles: event.data.roles };
      case "PasswordSet": {
        const { hash, temporary } = event.data;
        return state && { ...state, passwordHash: hash, temporaryPassword: temporary };
      }
      case "PasswordHashUpgraded":
        return state && { ...state, passwordHash: event.data.hash };
      case "SessionsRevoked":
        return state;
    }
  },
};

const unknownPerson = refuse("user_unknown", "There is no such person at this school.");

const normalised = (roles: readonly Role[]): Role[] => Role.options.filter((role) => roles.includes(role));

import { z } from "zod";
import { accept, type Decider, refuse, sameFact } from "./decider.ts";
import { type EventOf, eventType } from "./event-type.ts";

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
  name: z.string().trim().min(1).max(200),
  email: z.email().nullable(),
});
export type PersonProfile = z.infer<typeof PersonProfile>;

/** A password as it is stored: a PHC string such as `$argon2id$v=19$m=19456,t=2,p=1$…`. Never a password. */
export const PasswordHash = z.string().startsWith("$").max(512);

export const personEvents = {
  UserEnrolled: eventType(PersonProfile.extend({ roles: Roles })),
  UserRolesAssigned: eventType(z.object({ roles: Roles })),
  PasswordSet: eventType(z.object({ hash: PasswordHash })),
};
export type PersonEvent = EventOf<typeof personEvents>;

export type PersonCommand =
  | { type: "EnrollUser"; profile: PersonProfile; roles: Role[]; passwordHash: string | null }
  | { type: "AssignRoles"; roles: Role[] }
  | { type: "SetPassword"; passwordHash: string };

export type PersonState = { profile: PersonProfile; roles: Role[]; passwordHash: string | null } | undefined;

export const personDecider: Decider<PersonCommand, PersonEvent, PersonState> = {
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
        return accept<PersonEvent>(enrolled, { type: "PasswordSet", data: { hash: passwordHash } });
      }
      case "AssignRoles": {
        if (!state) return unknownPerson;
        const roles = normalised(command.roles);
        if (sameFact(state.roles, roles)) return accept();
        return accept({ type: "UserRolesAssigned", data: { roles } });
      }
      case "SetPassword":
        if (!state) return unknownPerson;
        return accept({ type: "PasswordSet", data: { hash: command.passwordHash } });
    }
  },
  evolve(state, event) {
    switch (event.type) {
      case "UserEnrolled": {
        const { roles, ...profile } = event.data;
        return { profile, roles, passwordHash: null };
      }
      case "UserRolesAssigned":
        return state && { ...state, roles: event.data.roles };
      case "PasswordSet":
        return state && { ...state, passwordHash: event.data.hash };
    }
  },
};

const unknownPerson = refuse("user_unknown", "There is no such person at this school.");

const normalised = (roles: readonly Role[]): Role[] => Role.options.filter((role) => roles.includes(role));

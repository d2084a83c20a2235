import { v5 as uuidV5 } from "uuid";
import { z } from "zod";

/** A school. UUIDv5 of its slug, so that a slug can be taken only once. */
export const TenantId = z.uuid().brand<"TenantId">();
export type TenantId = z.infer<typeof TenantId>;

/** A person of one tenant. UUIDv5 of tenant and username, so that a username can be taken only once in its tenant. */
export const UserId = z.uuid().brand<"UserId">();
export type UserId = z.infer<typeof UserId>;

/** A class of one tenant. UUIDv5 of tenant and class code. */
export const ClassId = z.uuid().brand<"ClassId">();
export type ClassId = z.infer<typeof ClassId>;

/** One person's membership of one class. UUIDv5 of class and person. */
export const MembershipId = z.uuid().brand<"MembershipId">();
export type MembershipId = z.infer<typeof MembershipId>;

/** An assignment of one class. UUIDv5 of class and assignment code. */
export const AssignmentId = z.uuid().brand<"AssignmentId">();
export type AssignmentId = z.infer<typeof AssignmentId>;

/** One hand-in. UUIDv5 of tenant, assignment, student and the client's key: a retry finds the first. */
export const SubmissionId = z.uuid().brand<"SubmissionId">();
export type SubmissionId = z.infer<typeof SubmissionId>;

/** One login of one person. UUIDv7. */
export const SessionId = z.uuid().brand<"SessionId">();
export type SessionId = z.infer<typeof SessionId>;

/** A platform's ring of receipt keys. UUIDv5 of the platform's own tenant: there is one. */
export const KeyringId = z.uuid().brand<"KeyringId">();
export type KeyringId = z.infer<typeof KeyringId>;

/** What a stream can hold, the first part of its name. */
export const categories = [
  "tenant",
  "user",
  "class",
  "membership",
  "assignment",
  "submission",
  "session",
  "keyring",
] as const;
export type Category = (typeof categories)[number];

/** By what the streams of each category are told apart. */
export interface StreamIds {
  readonly tenant: TenantId;
  readonly user: UserId;
  readonly class: ClassId;
  readonly membership: MembershipId;
  readonly assignment: AssignmentId;
  readonly submission: SubmissionId;
  readonly session: SessionId;
  readonly keyring: KeyringId;
}

/** Who did something: a person, or a program by its name. */
export type Actor = UserId | `system:${string}`;
export const Actor = z.custom<Actor>((value) => typeof value === "string" && value !== "", "name an actor");

/** Whether somebody who did something is a person, not a program. */
export const isPerson = (actor: Actor): actor is UserId => !actor.startsWith("system:");

// Drawn once at random; changing it would change every derived id.
const namespace = "5f0c2f5e-7d0a-4f0e-9a55-3f7a3c1be0d1";

function derive(kind: Category, ...parts: string[]): string {
  return uuidV5(JSON.stringify([kind, ...parts]), namespace);
}

/** Whom the platform's own streams belong to: no school. */
export const platformTenantId = "00000000-0000-0000-0000-000000000000" as TenantId;

/** The one key ring of a platform. */
export const keyringId = derive("keyring", platformTenantId) as KeyringId;

export const tenantIdOf = (slug: string) => derive("tenant", slug) as TenantId;

export const userIdOf = (tenantId: TenantId, username: string) =>
  derive("user", tenantId, username.toLowerCase()) as UserId;

export const classIdOf = (tenantId: TenantId, code: string) => derive("class", tenantId, code) as ClassId;

export const membershipIdOf = (classId: ClassId, userId: UserId) =>
  derive("membership", classId, userId) as MembershipId;

export const assignmentIdOf = (classId: ClassId, code: string) =>
  derive("assignment", classId, code) as AssignmentId;

export const submissionIdOf = (
  tenantId: TenantId,
  assignmentId: AssignmentId,
  studentId: UserId,
  key: string,
) => derive("submission", tenantId, assignmentId, studentId, key) as SubmissionId;

/** The id of the n-th event that a command makes: a command sent again makes the same ids, which the log stores once. */
export const eventIdOf = (commandId: string, index: number) => uuidV5(String(index), commandId);

/** The id of a command that an import makes of a record: the same record is the same command, whenever it is sent. */
export const commandIdOf = (tenantId: TenantId, ...record: string[]) =>
  uuidV5(JSON.stringify(["command", tenantId, ...record]), namespace);

/** The stream of one thing: `<category>-<tenantId>_<id>`. */
export const streamName = <Kind extends Category>(category: Kind, tenantId: TenantId, id: StreamIds[Kind]) =>
  `${category}-${tenantId}_${id}`;

/** What a stream's name says. */
export type StreamRef = {
  [Kind in Category]: { readonly category: Kind; readonly tenantId: TenantId; readonly id: StreamIds[Kind] };
}[Category];

/** The parts of a stream's name, or undefined for a stream that is not ours. */
export function parseStreamName(stream: string): StreamRef | undefined {
  const match = /^([a-z]+)-([0-9a-f-]{36})_([0-9a-f-]{36})$/.exec(stream);
  const category = categories.find((name) => name === match?.[1]);
  if (!match || !category) return undefined;
  return { category, tenantId: match[2], id: match[3] } as StreamRef;
}

/** The id of what a stream of `category` holds. Throws for any other stream. */
export function streamIdOf<Kind extends Category>(category: Kind, stream: string): StreamIds[Kind] {
  const ref = parseStreamName(stream);
  if (ref?.category !== category) throw new Error(`${stream} is no stream of the category ${category}`);
  return ref.id as StreamIds[Kind];
}

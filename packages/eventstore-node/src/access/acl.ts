/**
 * Who may do what with a stream. The rules are those of EventStoreDB 23.10's access control lists:
 * https://developers.eventstore.com/server/v23.10/security.html#access-control-lists
 */
import { describedBy, parseObject } from "../storage/stream-metadata.ts";

/** What a call wants to do with the stream that it names. */
export type StreamAction = "read" | "write" | "delete";

/** Who makes a call. */
export interface Caller {
  readonly name: string;
  readonly groups: readonly string[];
}

/** The group that may do everything, and the one that looks after subscriptions and projections. */
export const ADMINS = "$admins";
export const OPERATORS = "$ops";

/** The role of every caller with a name. */
const EVERYBODY = "$all";

/** The stream whose last event holds the lists for streams that have none. */
export const SETTINGS_STREAM = "$settings";

/** The name under which the log as a whole has its list. */
export const ALL_STREAM = "$all";

/** The properties of a list: the roles that may read, write, delete, and read and write the metadata. */
type Right = "$r" | "$w" | "$d" | "$mr" | "$mw";

/** What the rules look at: the bytes of JSON that is stored, undefined where there is none. */
export interface StoredLists {
  /** The metadata of a stream. */
  readonly metadata: (stream: string) => Uint8Array | undefined;
  /** The last event of `$settings`. */
  readonly settings: () => Uint8Array | undefined;
}

/** Whether `caller` is one of the administrators, which no list can keep out. */
export function isAdmin(caller: Caller): boolean {
  return caller.name === "admin" || caller.groups.includes(ADMINS);
}

/** Whether `caller` looks after the node, as administrators and operators do. */
export function isOperator(caller: Caller): boolean {
  return isAdmin(caller) || caller.name === "ops" || caller.groups.includes(OPERATORS);
}

/** Whether `caller`, undefined for a client without a name, may do `action` with `stream`. */
export function mayAccess(
  caller: Caller | undefined,
  action: StreamAction,
  stream: string,
  stored: StoredLists,
): boolean {
  if (caller === undefined) return false;
  if (stream === ALL_STREAM && action !== "read") return false;
  const described = describedBy(stream);
  if (described !== undefined && action === "delete") return false;
  if (isAdmin(caller)) return true;
  const right =
    described === undefined
      ? RIGHTS[action]
      : action === "read"
        ? METADATA_RIGHTS.read
        : METADATA_RIGHTS.write;
  const roles = rolesFor(right, described ?? stream, stored);
  return roles.some((role) => role === EVERYBODY || role === caller.name || caller.groups.includes(role));
}

const RIGHTS: Record<StreamAction, Right> = { read: "$r", write: "$w", delete: "$d" };
const METADATA_RIGHTS: Record<"read" | "write", Right> = { read: "$mr", write: "$mw" };

function rolesFor(right: Right, stream: string, stored: StoredLists): readonly string[] {
  const isSystem = stream.startsWith("$");
  return (
    rolesIn(stored.metadata(stream), "$acl", right) ??
    rolesIn(stored.settings(), isSystem ? "$systemStreamAcl" : "$userStreamAcl", right) ??
    (isSystem ? [ADMINS] : [EVERYBODY])
  );
}

/** One role or a list of them; undefined when the list does not mention the right. */
function rolesIn(json: Uint8Array | undefined, list: string, right: Right): readonly string[] | undefined {
  if (json === undefined) return undefined;
  const lists = parseObject(json)[list];
  if (typeof lists !== "object" || lists === null) return undefined;
  const roles: unknown = Object.entries(lists).find(([key]) => key === right)?.[1];
  if (typeof roles === "string") return [roles];
  return Array.isArray(roles) ? roles.filter((role) => typeof role === "string") : undefined;
}

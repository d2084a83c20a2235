import {
  createHash,
  randomBytes,
  randomUUID,
  type ScryptOptions,
  scrypt,
  timingSafeEqual,
} from "node:crypto";
import { promisify } from "node:util";
import type { EventLog } from "../storage/log.ts";
import { ADMINS, type Caller, OPERATORS } from "./acl.ts";

/** Passwords of the users that a new folder gets. */
export interface DefaultPasswords {
  readonly admin?: string;
  readonly ops?: string;
}

/** A user as the last event of the stream `$user-<name>` says, in EventStoreDB's names. */
interface StoredUser {
  readonly loginName: string;
  readonly fullName: string;
  readonly groups: readonly string[];
  readonly disabled: boolean;
  /** Base64. */
  readonly salt: string;
  /** Base64: scrypt of the password in UTF-8. */
  readonly hash: string;
}

const DEFAULT_PASSWORD = "changeit";
const MAX_NAME = 256;
const HASH_BYTES = 32;
const COST = { N: 16384, r: 8, p: 1 };
const NOBODY = { salt: randomBytes(16).toString("base64"), hash: "" };

/** How many headers that were found right are remembered, so that a client pays for its password once. */
const KNOWN_HEADERS = 1000;

const deriveKey = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** The people that this node knows. They are events in its log. */
export class Users {
  readonly #log: EventLog;
  readonly #known = new Map<string, Promise<boolean>>();

  private constructor(log: EventLog) {
    this.#log = log;
  }

  /** Opens the users of `log`; `admin` and `ops` are made when they are not there. */
  static async open(log: EventLog, passwords: DefaultPasswords): Promise<Users> {
    await createUser(log, "admin", [ADMINS], passwords.admin ?? DEFAULT_PASSWORD);
    await createUser(log, "ops", [OPERATORS], passwords.ops ?? DEFAULT_PASSWORD);
    return new Users(log);
  }

  /** Who sends this `authorization` header; undefined when the name or password in it is wrong. */
  async authenticate(header: string): Promise<Caller | undefined> {
    const credentials = parseBasic(header);
    if (credentials === undefined) return undefined;
    const stored = this.#log.reader.lastData(userStream(credentials.name));
    const user = stored && parseUser(stored);
    // The stored user is part of the key, so that a changed password or a disabled user counts at once.
    const key = createHash("sha256")
      .update(header)
      .update(stored ?? "")
      .digest("base64");
    const isRight = await this.#remember(key, () => verify(credentials.password, user ?? NOBODY));
    if (!isRight || user === undefined || user.disabled) return undefined;
    return { name: user.loginName, groups: user.groups };
  }

  async #remember(key: string, check: () => Promise<boolean>): Promise<boolean> {
    let answer = this.#known.get(key);
    if (answer === undefined) {
      if (this.#known.size >= KNOWN_HEADERS) this.#known.clear();
      answer = check();
      this.#known.set(key, answer);
    }
    const isRight = await answer;
    if (!isRight) this.#known.delete(key);
    return isRight;
  }
}

async function createUser(log: EventLog, name: string, groups: string[], password: string): Promise<void> {
  const stream = userStream(name);
  if (log.reader.view(stream).kind !== "missing") return;
  const salt = randomBytes(16).toString("base64");
  const hash = (await hashOf(password, salt)).toString("base64");
  const user: StoredUser = { loginName: name, fullName: name, groups, disabled: false, salt, hash };
  const created = {
    id: randomUUID(),
    type: "$UserCreated",
    isJson: true,
    metadata: new Uint8Array(),
    data: Buffer.from(JSON.stringify(user)),
  };
  await log.append({ stream, expected: "any", events: [created] });
}

function userStream(name: string): string {
  return `$user-${name}`;
}

async function verify(password: string, { salt, hash }: { salt: string; hash: string }): Promise<boolean> {
  const expected = Buffer.from(hash, "base64");
  const actual = await hashOf(password, salt);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function hashOf(password: string, salt: string): Promise<Buffer> {
  return deriveKey(password, Buffer.from(salt, "base64"), HASH_BYTES, COST);
}

/** Name and password of a Basic header. https://www.rfc-editor.org/rfc/rfc7617 */
function parseBasic(header: string): { name: string; password: string } | undefined {
  const [, encoded] = /^basic +(\S+)$/i.exec(header) ?? [];
  const text = Buffer.from(encoded ?? "", "base64").toString();
  const colon = text.indexOf(":");
  if (colon < 1 || colon > MAX_NAME) return undefined;
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

function parseUser(json: Uint8Array): StoredUser | undefined {
  try {
    const user: Partial<StoredUser> | null = JSON.parse(Buffer.from(json).toString());
    const { loginName, salt, hash } = user ?? {};
    if (typeof loginName !== "string" || typeof salt !== "string" || typeof hash !== "string")
      return undefined;
    const groups = Array.isArray(user?.groups) ? user.groups : [];
    return {
      loginName,
      salt,
      hash,
      groups,
      fullName: user?.fullName ?? "",
      disabled: user?.disabled === true,
    };
  } catch {
    return undefined;
  }
}

import { AccessDeniedError, type EventStoreDBClient, jsonEvent } from "@eventstore/db-client";
import { expect, test } from "vitest";
import { all, asUser, connect, event, names, startTestNode, temporaryFolder } from "../testing.ts";

/** A node with users, and clients of it: the administrator, an operator, who is no administrator, and a client without a name. */
async function startGuarded() {
  const { url, client } = await startTestNode(temporaryFolder(), { tls: "generated" });
  return { url, admin: client, ops: connect(asUser(url, "ops")), nobody: connect(url) };
}

async function denied(...attempts: Promise<unknown>[]) {
  await Promise.all(attempts.map((attempt) => expect(attempt).rejects.toBeInstanceOf(AccessDeniedError)));
}

function setDefaults(admin: EventStoreDBClient, lists: Record<string, unknown>) {
  return admin.appendToStream("$settings", jsonEvent({ type: "update-default-acl", data: lists as never }));
}

test("a client without a name reads and writes nothing", async () => {
  const { admin, nobody } = await startGuarded();
  await admin.appendToStream("s", event("a"));
  await admin.setStreamMetadata("open", { acl: { readRoles: ["$all"], writeRoles: ["$all"] } });
  await denied(
    nobody.appendToStream("s", event("b")),
    nobody.appendToStream("open", event("b")),
    all(nobody.readStream("s")),
    all(nobody.readAll()),
    nobody.deleteStream("s"),
    nobody.tombstoneStream("s"),
  );
  expect(await names(admin.readStream("s"))).toEqual(["a"]);
});

test.each([
  ["a wrong password", "admin", "wrong"],
  ["a name that no user has", "somebody", "changeit"],
  ["no password", "admin", ""],
])("%s is refused, for every call", async (_, username, password) => {
  const { nobody } = await startGuarded();
  const credentials = { username, password };
  await denied(
    nobody.appendToStream("s", event("a"), { credentials }),
    all(nobody.readStream("s", { credentials })),
    nobody.listProjections({ credentials }),
  );
});

test("users with a name read and write the streams of users, and administrators those of the system too", async () => {
  const { admin, ops } = await startGuarded();
  await ops.appendToStream("s", event("a"));
  expect(await names(ops.readStream("s"))).toEqual(["a"]);
  await ops.deleteStream("s");
  await denied(
    ops.appendToStream("$mine", event("b")),
    all(ops.readStream("$user-admin")),
    all(ops.readAll()),
    ops.setStreamMetadata("$all", { acl: { readRoles: ["ops"] } }),
  );
  await admin.appendToStream("$mine", event("b"));
  expect((await all(admin.readAll())).length).toBeGreaterThan(2);
});

test("a subscription needs the right to read", async () => {
  const { ops, nobody } = await startGuarded();
  const first = async (subscription: AsyncIterable<unknown>) => {
    for await (const event of subscription) return event;
  };
  await denied(first(nobody.subscribeToStream("s")), first(ops.subscribeToAll()));
});

test("credentials of one call count for that call", async () => {
  const { nobody } = await startGuarded();
  const credentials = { username: "ops", password: "changeit" };
  await nobody.appendToStream("s", event("a"), { credentials });
  expect(await names(nobody.readStream("s", { credentials }))).toEqual(["a"]);
  await denied(all(nobody.readStream("s")));
});

test.each(["ops", "$ops"])("a stream's list names who may do what with it: %s", async (role) => {
  const { admin, ops } = await startGuarded();
  await admin.appendToStream("s", event("a"));
  await admin.setStreamMetadata("s", {
    acl: { readRoles: [role], writeRoles: [], deleteRoles: [], metaReadRoles: [role], metaWriteRoles: [] },
  });
  expect(await names(ops.readStream("s"))).toEqual(["a"]);
  expect(await ops.getStreamMetadata("s")).toMatchObject({ metadata: { acl: { readRoles: [role] } } });
  const credentials = { username: "ops", password: "changeit" };
  await denied(
    ops.appendToStream("s", event("b")),
    ops.appendToStream("s", event("b"), { credentials }),
    ops.deleteStream("s"),
    ops.tombstoneStream("s"),
    ops.setStreamMetadata("s", {}),
  );
  await admin.appendToStream("s", event("c"));
  expect(await names(ops.readStream("s"))).toEqual(["a", "c"]);
});

test("an append that is denied leaves the others of its call alone", async () => {
  const { admin, ops } = await startGuarded();
  await admin.setStreamMetadata("closed", { acl: { writeRoles: ["$admins"] } });
  const outcomes = await Promise.allSettled([
    ops.appendToStream("s", event("a")),
    ops.appendToStream("closed", event("b")),
    ops.appendToStream("s", event("c")),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect((await names(admin.readStream("s"))).sort()).toEqual(["a", "c"]);
});

test("the right to read $all can be given", async () => {
  const { admin, ops } = await startGuarded();
  await admin.setStreamMetadata("$all", { acl: { readRoles: ["$ops"] } });
  await admin.appendToStream("s", event("a"));
  expect(await names(ops.readAll())).toContain("a");
  await denied(admin.appendToStream("$all", event("b")));
});

test("$settings holds the lists for streams that have none", async () => {
  const { admin, ops } = await startGuarded();
  await setDefaults(admin, {
    $userStreamAcl: { $r: "$all", $w: ["$admins"] },
    $systemStreamAcl: { $r: "ops" },
  });
  await admin.appendToStream("s", event("a"));
  expect(await names(ops.readStream("s"))).toEqual(["a"]);
  expect(await all(ops.readStream("$settings"))).toHaveLength(1);
  await denied(ops.appendToStream("s", event("b")), ops.appendToStream("$settings", event("b")));
  await ops.deleteStream("s");
  await setDefaults(admin, {});
  await ops.appendToStream("s", event("c"));
});

test("passwords are those that a folder was made with, kept as hashes, and outlive a restart", async () => {
  const dir = temporaryFolder();
  const passwords = { admin: "top: secret", ops: "läuft" };
  const first = await startTestNode(dir, { tls: "generated", passwords });
  await denied(all(first.client.readStream("s")));
  await connect(asUser(first.url, "ops", passwords.ops)).appendToStream("s", event("a"));
  const admin = connect(asUser(first.url, "admin", passwords.admin));
  const [stored] = await all(admin.readStream("$user-admin"));
  expect(stored?.event?.data).toMatchObject({ loginName: "admin", groups: ["$admins"] });
  expect(JSON.stringify(stored?.event?.data)).not.toContain("secret");
  await first.stop();
  const second = await startTestNode(dir, { tls: "generated" });
  const again = connect(asUser(second.url, "admin", passwords.admin));
  expect(await names(again.readStream("s"))).toEqual(["a"]);
});

test("a user who is disabled is refused from then on", async () => {
  const { admin, ops } = await startGuarded();
  await ops.appendToStream("s", event("a"));
  const [stored] = await all(admin.readStream("$user-ops"));
  const data = { ...(stored?.event?.data as object), disabled: true };
  await admin.appendToStream("$user-ops", jsonEvent({ type: "$UserUpdated", data }));
  await denied(all(ops.readStream("s")));
});

import { AccessDeniedError } from "@eventstore/db-client";
import { expect, onTestFinished, test } from "vitest";
import { startNode } from "../index.ts";
import { connect, event, eventually, temporaryFolder } from "../testing.ts";
import { fromStart, givenNames, listen } from "./testing.ts";

test("on a node with users operators manage groups, and only a client that may read the source consumes", async () => {
  const node = await startNode({ dir: temporaryFolder(), port: 0, tls: "generated" });
  onTestFinished(() => node.stop());
  const nobody = connect(node.url);
  const admin = connect(node.url.replace("esdb://", "esdb://admin:changeit@"));
  const settings = fromStart();
  const refused = [
    () => nobody.createPersistentSubscriptionToStream("s", "g", settings),
    () => nobody.updatePersistentSubscriptionToStream("s", "g", settings),
    () => nobody.deletePersistentSubscriptionToStream("s", "g"),
    () => nobody.replayParkedMessagesToStream("s", "g"),
    () => nobody.restartPersistentSubscriptionSubsystem(),
    () => nobody.getPersistentSubscriptionToStreamInfo("s", "g"),
    () => nobody.listAllPersistentSubscriptions(),
  ];
  await admin.createPersistentSubscriptionToStream("s", "g", settings);
  for (const call of refused) await expect(call()).rejects.toBeInstanceOf(AccessDeniedError);

  await admin.appendToStream("s", event("a"));
  const stranger = listen(nobody.subscribeToPersistentSubscriptionToStream("s", "g"));
  await eventually(() => expect(stranger.errors).toHaveLength(1));
  expect(stranger.errors[0]).toBeInstanceOf(AccessDeniedError);
  const consumer = listen(admin.subscribeToPersistentSubscriptionToStream("s", "g"));
  expect(await givenNames(consumer, 1)).toEqual(["a"]);
  const { connections } = await admin.getPersistentSubscriptionToStreamInfo("s", "g");
  expect(connections).toMatchObject([{ username: "admin" }]);
});

import { startNats } from "@carillon/testkit";
import { expect, onTestFinished, test } from "vitest";
import { connectBus } from "./bus.ts";

test("a login in the address leads to its account, and a wrong one nowhere", async () => {
  const password = "a:b/c@d e%20";
  const server = await startNats([
    { name: "north", password },
    { name: "south", password: "other" },
  ]);
  onTestFinished(() => server.stop());
  const as = async (login: string) => {
    const bus = await connectBus(server.url.replace("//", `//${login}@`), "test");
    onTestFinished(() => bus.close());
    return bus;
  };
  const [north, south] = [await as(`north:${encodeURIComponent(password)}`), await as("south:other")];
  const names = async (bus: typeof north) => (await bus.jetstreamManager()).streams.names().next();
  await (await north.jetstreamManager()).streams.add({ name: "BELLS", subjects: ["bells"] });
  expect(await names(north)).toEqual(["BELLS"]);
  expect(await names(south)).toEqual([]);
  await expect(as("north:other")).rejects.toMatchObject({ code: "AUTHORIZATION_VIOLATION" });
  await expect(connectBus(server.url, "test")).rejects.toMatchObject({ code: "AUTHORIZATION_VIOLATION" });
});

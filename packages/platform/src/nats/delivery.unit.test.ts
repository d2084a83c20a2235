import type { Msg } from "nats";
import { expect, test } from "vitest";
import { deliveryInfo } from "./delivery.ts";

const info = { deliveries: 3, streamSequence: 1_234, consumerSequence: 56 };

test.each([
  ["as servers answer without a domain", "$JS.ACK.WORK.grade.3.1234.56.1700000000000000000.7"],
  ["with a domain and an account", "$JS.ACK.hub.ACCOUNT.WORK.grade.3.1234.56.1700000000000000000.7"],
  ["with a token behind it", "$JS.ACK._.ACCOUNT.WORK.grade.3.1234.56.1700000000000000000.7.token"],
])("a delivery is read %s", (_form, reply) => {
  expect(deliveryInfo({ reply } as Msg)).toEqual(info);
});

test("what is not a delivery is an error", () => {
  for (const reply of ["", "_INBOX.abc", "$JS.ACK.WORK.grade"]) {
    expect(() => deliveryInfo({ reply } as Msg)).toThrow("is not where a delivery is answered");
  }
});

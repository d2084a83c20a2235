import { expect, test } from "vitest";
import { given } from "../testing.ts";
import { type KeyringEvent, keyringDecider, PublicKey } from "./keyring.ts";

const key = PublicKey.parse({ kid: "receipts-1", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
const published: KeyringEvent = { type: "ReceiptKeyPublished", data: key };

test("a key is published once", () => {
  expect(given(keyringDecider, []).when({ type: "PublishReceiptKey", key })).toEqual([published]);
  expect(given(keyringDecider, [published]).when({ type: "PublishReceiptKey", key })).toEqual([]);
});

test("a key's id belongs to it for ever", () => {
  const other = { ...key, x: key.x.replace("11", "22") };
  expect(given(keyringDecider, [published]).when({ type: "PublishReceiptKey", key: other })).toMatchObject({
    code: "key_id_taken",
  });
});

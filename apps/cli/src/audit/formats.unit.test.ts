import type { DomainEvent } from "@carillon/domain";
import type { RecordedEvent } from "@carillon/platform";
import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import { csvColumns, formats, written } from "./formats.ts";

const recorded = (event: { type: DomainEvent["type"]; data: unknown }, actor = "system:test") =>
  ({
    ...event,
    id: "0192f3a4-5b6c-7d8e-9f01-23456789abcd",
    stream: "user-x_y",
    revision: 0,
    position: 18446744073709551615n,
    created: "2026-09-20T23:59:59.000Z",
    metadata: {
      actor,
      occurredAt: "2026-09-20T23:59:58.000Z",
      correlationId: "c",
      causationId: null,
      schema: 1,
    },
  }) as unknown as RecordedEvent;

async function textOf(format: (typeof formats)[number], events: RecordedEvent[]) {
  let text = "";
  const each = async function* () {
    yield* events;
  };
  for await (const piece of written(format, each())) text += piece;
  return text;
}

test.each(formats)("no password hash is written as %s", async (format) => {
  const hash = "$argon2id$secret";
  const text = await textOf(format, [
    recorded({ type: "PasswordSet", data: { hash, temporary: false } }),
    recorded({ type: "PasswordHashUpgraded", data: { hash } }),
  ]);
  expect(text.match(/not shown/g)).toHaveLength(2);
  expect(text).not.toContain("secret");
});

test("an empty history is an empty document of its kind", async () => {
  expect(await Promise.all(formats.map((format) => textOf(format, [])))).toEqual([
    "",
    "",
    `${csvColumns.join(",")}\r\n`,
    "[]\n",
  ]);
});

test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])("%j is no formula in a table", async (key) => {
  const text = await textOf("csv", [recorded({ type: "SubmissionRecorded", data: { key } }, key)]);
  const [row] = parse<Record<string, string>>(text, { columns: true });
  expect(row).toMatchObject({ key: `'${key}`, actor: `'${key}`, position: "18446744073709551615" });
  expect(JSON.parse(row?.data ?? "")).toEqual({ key });
});

test("what an event says of itself does not take the place of what the log says", async () => {
  const data = { key: "k", position: "1", actor: "mallory", created: "1970-01-01T00:00:00.000Z" };
  const text = await textOf("csv", [recorded({ type: "SubmissionRecorded", data })]);
  expect(parse<Record<string, string>>(text, { columns: true })).toMatchObject([
    { position: "18446744073709551615", actor: "system:test", created: "2026-09-20T23:59:59.000Z" },
  ]);
});

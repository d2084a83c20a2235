import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { eventType, UnreadableEvent, upcast } from "./event-type.ts";
import { eventCatalogue, readEvent } from "./events.ts";

const folder = new URL("../samples/", import.meta.url);
const samples = readdirSync(folder).map((name) => ({
  name,
  stored: JSON.parse(readFileSync(new URL(name, folder), "utf8")),
}));

describe("events that were written are read for ever", () => {
  test.each(samples)("$name", ({ name, stored }) => {
    const event = readEvent(stored.type, stored.data, stored.metadata);
    expect(`${event.type}.v${event.metadata.schema}.json`).toBe(name);
    if (stored.metadata.schema === eventCatalogue[event.type].version)
      expect(event.data).toEqual(stored.data);
  });

  test("there is a sample of every version of every type", () => {
    const written = Object.entries(eventCatalogue).flatMap(([type, { version }]) =>
      Array.from({ length: version }, (_, index) => `${type}.v${index + 1}.json`),
    );
    expect(samples.map(({ name }) => name).sort()).toEqual(written.sort());
  });
});

describe("upcasting", () => {
  const opened = eventType(z.object({ code: z.string(), lengthDays: z.int(), room: z.string().nullable() }), [
    (v1) => {
      const { code, weeks } = z.object({ code: z.string(), weeks: z.int() }).parse(v1);
      return { code, lengthDays: weeks * 7 };
    },
    (v2) => ({ ...z.looseObject({}).parse(v2), room: null }),
  ]);

  test("leads from the first version through every step to the newest", () => {
    expect(opened.version).toBe(3);
    const newest = { code: "A", lengthDays: 14, room: null };
    expect(upcast("Opened", opened, 1, { code: "A", weeks: 2 })).toEqual(newest);
    expect(upcast("Opened", opened, 2, { code: "A", lengthDays: 14 })).toEqual(newest);
    expect(upcast("Opened", opened, 3, newest)).toEqual(newest);
  });

  test.each([0, 4, 1.5])("refuses version %d, which was never written", (version) => {
    expect(() => upcast("Opened", opened, version, {})).toThrow(UnreadableEvent);
  });
});

describe("an event that cannot be read says so", () => {
  const { stored } = samples[0] as (typeof samples)[number];

  test("of an unknown type", () => {
    expect(() => readEvent("BellStolen", {}, stored.metadata)).toThrow(/does not know the type/);
  });

  test("of a type that JavaScript's objects have by nature", () => {
    expect(() => readEvent("constructor", {}, stored.metadata)).toThrow(/does not know the type/);
  });

  test("without metadata", () => {
    expect(() => readEvent(stored.type, stored.data, undefined)).toThrow(/metadata/);
  });

  test("of a shape it never had", () => {
    expect(() => readEvent(stored.type, { surprise: true }, stored.metadata)).toThrow(UnreadableEvent);
  });
});

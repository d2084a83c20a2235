import { expect, expectTypeOf, test } from "vitest";
import { column, columnName, type FieldsOf, fieldReader, type RowOf } from "./columns.ts";
import type { ClassId } from "./ids.ts";
import type { Instant } from "./time.ts";

const columns = {
  classId: column.uuid<ClassId>(),
  sha256: column.orNull(column.text()),
  lengthDays: column.integer(),
  roles: column.texts<"student" | "teacher">(),
  branding: column.json<{ logoUrl: string }>(),
  handedInAt: column.instant(),
  lapsedAt: column.orNull(column.instant()),
};
const classId = "0192f3a4-5b6c-7d8e-9f01-23456789abcd" as ClassId;
const handedInAt = "2026-09-01T08:59:00.000Z" as Instant;

test("a field's column has its name in lower case, with lines between the words", () => {
  expect(Object.keys(columns).map(columnName)).toEqual([
    "class_id",
    "sha256",
    "length_days",
    "roles",
    "branding",
    "handed_in_at",
    "lapsed_at",
  ]);
  expectTypeOf(columnName("handedInAt")).toEqualTypeOf<"handed_in_at">();
});

test("fields are read from a row: times as instants, and nothing that is not in the list", () => {
  const row = {
    tenant_id: classId,
    class_id: classId,
    sha256: null,
    length_days: 100,
    roles: ["student" as const],
    branding: { logoUrl: "https://example.org" },
    handed_in_at: new Date(handedInAt),
    lapsed_at: null,
  };
  expect(fieldReader(columns)(row)).toEqual({
    classId,
    sha256: null,
    lengthDays: 100,
    roles: ["student"],
    branding: { logoUrl: "https://example.org" },
    handedInAt,
    lapsedAt: null,
  });
});

test("the compiler knows what a row holds, and what its fields are", () => {
  expectTypeOf<RowOf<typeof columns>>().toEqualTypeOf<{
    class_id: ClassId;
    sha256: string | null;
    length_days: number;
    roles: ("student" | "teacher")[];
    branding: { logoUrl: string };
    handed_in_at: Date;
    lapsed_at: Date | null;
  }>();
  expectTypeOf<FieldsOf<typeof columns>>().toEqualTypeOf<{
    classId: ClassId;
    sha256: string | null;
    lengthDays: number;
    roles: ("student" | "teacher")[];
    branding: { logoUrl: string };
    handedInAt: Instant;
    lapsedAt: Instant | null;
  }>();
});

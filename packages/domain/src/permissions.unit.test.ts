import { expect, test } from "vitest";
import { authorize, authorizeGrant, leadsEveryClass, may, seesEveryClass } from "./permissions.ts";

test("one fitting role is enough", () => {
  expect(may(["student", "teacher"], "assignments.publish")).toBe(true);
  expect(may(["student"], "assignments.publish")).toBe(false);
  expect(may([], "classes.list")).toBe(false);
});

test("somebody who may not is told which role it needs", () => {
  expect(() => authorize(["student"], "tenants.enroll")).toThrow(
    expect.objectContaining({ code: "forbidden", message: expect.stringContaining("operator") }),
  );
  expect(() => authorize(["operator"], "tenants.enroll")).not.toThrow();
});

test("a role with power is given only by those who have it", () => {
  const refused = expect.objectContaining({ code: "forbidden" });
  expect(() => authorizeGrant(["admin"], ["student", "operator"])).toThrow(refused);
  expect(() => authorizeGrant(["teacher"], ["admin"])).toThrow(refused);
  expect(() => authorizeGrant(["admin"], ["admin", "auditor"])).not.toThrow();
  expect(() => authorizeGrant(["operator"], ["admin", "operator"])).not.toThrow();
});

test("a teacher acts in their own classes and sees all, a student sees their own", () => {
  expect(leadsEveryClass(["teacher", "auditor"])).toBe(false);
  expect(leadsEveryClass(["teacher", "admin"])).toBe(true);
  expect(seesEveryClass(["student"])).toBe(false);
  expect(seesEveryClass(["student", "teacher"])).toBe(true);
});

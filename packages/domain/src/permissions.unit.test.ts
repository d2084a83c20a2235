import { expect, test } from "vitest";
import { authorize, may } from "./permissions.ts";

test("one fitting role is enough", () => {
  expect(may(["student", "teacher"], "assignments.publish")).toBe(true);
  expect(may(["student"], "assignments.publish")).toBe(false);
  expect(may([], "classes.list")).toBe(false);
});

test("who may not is told which role it needs", () => {
  expect(() => authorize(["student"], "tenants.enroll")).toThrow(
    expect.objectContaining({ code: "forbidden", message: expect.stringContaining("operator") }),
  );
  expect(() => authorize(["operator"], "tenants.enroll")).not.toThrow();
});

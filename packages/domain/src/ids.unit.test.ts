import { expect, test } from "vitest";
import {
  assignmentIdOf,
  classIdOf,
  commandIdOf,
  eventIdOf,
  parseStreamName,
  streamName,
  submissionIdOf,
  TenantId,
  tenantIdOf,
  UserId,
  userIdOf,
} from "./ids.ts";

const tenant = tenantIdOf("riverside-high");

test("the same slug is the same tenant, another slug another", () => {
  expect(tenantIdOf("riverside-high")).toBe(tenant);
  expect(tenantIdOf("hillside-high")).not.toBe(tenant);
  expect(TenantId.safeParse(tenant).success).toBe(true);
});

test("a username is one person whatever its case, and another person at another school", () => {
  expect(userIdOf(tenant, "Ada")).toBe(userIdOf(tenant, "ada"));
  expect(userIdOf(tenantIdOf("hillside-high"), "ada")).not.toBe(userIdOf(tenant, "ada"));
  expect(UserId.safeParse(userIdOf(tenant, "ada")).success).toBe(true);
});

test("a submission's id takes in every part of what makes it the same", () => {
  const assignment = assignmentIdOf(classIdOf(tenant, "A"), "1");
  const student = userIdOf(tenant, "ada");
  const ids = [
    submissionIdOf(tenant, assignment, student, "k"),
    submissionIdOf(tenant, assignment, student, "l"),
    submissionIdOf(tenant, assignment, userIdOf(tenant, "bob"), "k"),
    submissionIdOf(tenant, assignmentIdOf(classIdOf(tenant, "A"), "2"), student, "k"),
  ];
  expect(new Set(ids).size).toBe(ids.length);
  expect(submissionIdOf(tenant, assignment, student, "k")).toBe(ids[0]);
});

test("a command has its own id for each of its events, and the same ones when it is sent again", () => {
  const command = commandIdOf(tenant, "registration", "AAA", "2013J", "1");
  expect(commandIdOf(tenant, "registration", "AAA", "2013J", "1")).toBe(command);
  expect(commandIdOf(tenant, "registration", "AAA", "2013", "J1")).not.toBe(command);
  expect(eventIdOf(command, 0)).not.toBe(eventIdOf(command, 1));
});

test("a stream's name tells its parts", () => {
  const id = userIdOf(tenant, "ada");
  expect(parseStreamName(streamName("user", tenant, id))).toEqual({ category: "user", tenantId: tenant, id });
  expect(parseStreamName("$settings")).toBeUndefined();
  expect(parseStreamName(`parrot-${tenant}_${id}`)).toBeUndefined();
});

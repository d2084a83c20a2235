import { expect, test } from "vitest";
import { refuseWeakPassword } from "./strength.ts";

const ada = ["ada.lovelace", "Ada Lovelace", "riverside"];

const answerTo = (password: string) => {
  try {
    refuseWeakPassword(password, ada);
    return "accepted";
  } catch (error) {
    return error;
  }
};

test.each([
  ["password1", "Many people"],
  ["12345678", "Many people"],
  ["Passw0rd!", "too much like one that many people use"],
  ["ada.lovelace", "your name"],
  ["Lovelace1815", "your name"],
  ["riverside2026", "your school"],
  ["abcdefgh", "simple pattern"],
  ["aaaaaaaaaaaa", "simple pattern"],
  ["12.04.2008", "date"],
])("%s is refused, and why is said", (password, why) => {
  expect(answerTo(password)).toMatchObject({ code: "password_weak", message: expect.stringContaining(why) });
});

test.each(["correct horse battery", "four grey herons", "kT9_xQ2pLm1a", "ζεστό ψωμί το πρωί"])(
  "%s is accepted, whatever it is made of",
  (password) => expect(answerTo(password)).toBe("accepted"),
);

test("what somebody else is called is no reason to refuse", () => {
  expect(() => refuseWeakPassword("grevillea7", ["grevillea"])).toThrow("your name");
  expect(() => refuseWeakPassword("grevillea7", ada)).not.toThrow();
});

test("the longest password is judged by its first 100 characters, in little time", () => {
  const longest = "password4@!$(".repeat(78);
  expect(answerTo(longest)).toBe("accepted");
  expect(answerTo(`${"a".repeat(100)}kT9_xQ2pLm1a`)).toMatchObject({ code: "password_weak" });
  // All of it would take hundreds of times as long as its beginning, which is what the machine's speed is told by.
  const cpuOf = (password: string) => {
    const before = process.cpuUsage();
    answerTo(password);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  const leastCpuOf = (password: string) => Math.min(...[1, 2, 3].map(() => cpuOf(password)));
  expect(leastCpuOf(longest)).toBeLessThan(5 * leastCpuOf(longest.slice(0, 100)));
});

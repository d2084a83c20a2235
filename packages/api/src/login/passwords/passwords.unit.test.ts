import { expect, test } from "vitest";
import { checkPassword, hashPassword } from "./formats.ts";
import { ImportedPasswordHash, NewPassword, needsUpgrade } from "./input.ts";

const bell = "the bell of St Mary's";

/** A password and its hash as other programs made it. */
const foreign: readonly (readonly [string, string, string])[] = [
  // The reference implementation's own tests: github.com/P-H-C/phc-winner-argon2, src/test.c.
  [
    "argon2id",
    "password",
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
  ],
  [
    "argon2id in two lanes",
    "password",
    "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
  ],
  [
    "argon2i",
    "password",
    "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
  ],
  [
    "argon2i of version 16, which does not say so",
    "password",
    "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
  ],
  // libxcrypt: python3 -c 'import crypt; print(crypt.crypt("…", "$2b$06$abcdefghijklmnopqrstuu"))'
  ["bcrypt 2a", bell, "$2a$06$abcdefghijklmnopqrstuuQX0UT5K1VUA1oQjRiWLJJd7UD69yRui"],
  ["bcrypt 2b", bell, "$2b$06$abcdefghijklmnopqrstuuQX0UT5K1VUA1oQjRiWLJJd7UD69yRui"],
  ["bcrypt 2y", bell, "$2y$06$abcdefghijklmnopqrstuuQX0UT5K1VUA1oQjRiWLJJd7UD69yRui"],
  ["bcrypt in UTF-8", "ünïcode pässwörd", "$2b$06$abcdefghijklmnopqrstuuEa8pH2XA7Sj3gUT//xl3JLH.fXSNjNO"],
  // python3's hashlib.pbkdf2_hmac, written as passlib and as a PHC string.
  [
    "PBKDF2-SHA-256 of passlib",
    bell,
    "$pbkdf2-sha256$29000$....................IQ$SZAFXxItlsHXF7bUL8UILQCJJxCrGq6Z6fbao8Ee8KA",
  ],
  [
    "PBKDF2-SHA-512 of passlib",
    bell,
    "$pbkdf2-sha512$25000$....................IQ$8VDNZWCaal/iuUr1YNWIHZnURsBkDU7tBIlnqDeBcy0.eotLwWpHiScl/lyOyF9tWOTnBCvGt2N3VF3HzZfaqQ",
  ],
  [
    "PBKDF2-SHA-256 as PHC",
    bell,
    "$pbkdf2-sha256$i=10000,l=32$++++++++++++++++++++IQ$ILe3mRJGdEdjjsDoTBRRif4DB88N241nlaawh1oOSUE",
  ],
  [
    "PBKDF2-SHA-512 as PHC",
    bell,
    "$pbkdf2-sha512$i=10000$++++++++++++++++++++IQ$dCkhXEbRZZNP8wX3s+qhirU2/9SieAYWMOjJLpZRmQ87jiqeB3YHlCU14QmjfYXu/YvMEMNMG21IKx2JLeR7vw",
  ],
];

const [, , strongerThanOurs = ""] = foreign[0] ?? [];
const ours = hashPassword(bell);

test("a password fits its own hash only, which says how it was made", () => {
  expect(ours).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(checkPassword(ours, bell)).toBe("fits");
  expect(checkPassword(ours, "the bell of St Mary")).toBe("differs");
});

test.each(foreign)("%s, made elsewhere, fits its password only and may be imported", (_, password, hash) => {
  expect(checkPassword(hash, password)).toBe("fits");
  expect(checkPassword(hash, `${password}.`)).toBe("differs");
  expect(checkPassword(hash, "")).toBe("differs");
  expect(ImportedPasswordHash.safeParse(hash).success).toBe(true);
});

test.each([
  ["empty", ""],
  ["a password", "hunter2hunter2"],
  ["MD5", "$1$abcdefgh$0123456789012345678901"],
  ["SHA-512 crypt", "$6$rounds=5000$salt$hash"],
  ["scrypt", "$scrypt$ln=16,r=8,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5"],
  ["argon2 cut off", ours.slice(0, 40)],
  ["argon2 without lanes", "$argon2id$v=19$m=19456,t=2,p=0$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8"],
  ["bcrypt cut off", "$2b$06$abcdefghijklmnopqrstuuQX0UT5K1VUA1oQjRiWLJJd7UD69yRu"],
  ["bcrypt that signed characters spoilt", "$2x$06$abcdefghijklmnopqrstuuQX0UT5K1VUA1oQjRiWLJJd7UD69yRui"],
  ["PBKDF2 with SHA-1", "$pbkdf2$131000$c2FsdHNhbHQ$ILe3mRJGdEdjjsDoTBRRif4DB88"],
  ["PBKDF2 without a key", "$pbkdf2-sha256$29000$....................IQ$"],
  ["PBKDF2 with a key that is met by chance", "$pbkdf2-sha256$29000$....................IQ$SZ"],
  [
    "PBKDF2 with a shorter key than it says",
    "$pbkdf2-sha256$i=10000,l=32$++++++++++++++++++++IQ$ILe3mRJGdEdjjsDoTBRRif4DB88N241n",
  ],
  [
    "PBKDF2 without rounds",
    "$pbkdf2-sha256$0$....................IQ$SZAFXxItlsHXF7bUL8UILQCJJxCrGq6Z6fbao8Ee8KA",
  ],
])("a stored hash that is no hash (%s) fits nothing and is not imported", (_, stored) => {
  expect(checkPassword(stored, "hunter2hunter2")).toBe("unreadable");
  expect(needsUpgrade(stored)).toBe(true);
  expect(ImportedPasswordHash.safeParse(stored).error?.issues[0]).toMatchObject({
    params: { errorCode: "password_hash_unsupported" },
  });
});

test.each([
  ["nobody", null],
  ["a hash that cannot be read", "$6$rounds=5000$salt$hash"],
])("%s fits nothing, after as much work as a hash of ours", (_, stored) => {
  const cpuOf = (check: () => unknown) => {
    const before = process.cpuUsage();
    check();
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  // In turns, and the least of each: what else this process and the machine do only adds to it.
  const costs = Array.from({ length: 8 }, () => ({
    without: cpuOf(() => checkPassword(stored, bell)),
    mismatch: cpuOf(() => checkPassword(ours, "wrong")),
  }));
  const without = Math.min(...costs.map((cost) => cost.without));
  const mismatch = Math.min(...costs.map((cost) => cost.mismatch));
  expect(checkPassword(stored, bell)).not.toBe("fits");
  expect(without).toBeGreaterThan(mismatch / 2);
  expect(without).toBeLessThan(mismatch * 2);
});

const salted = "c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

test.each([
  [false, "ours", ours],
  [false, "argon2id with more memory", strongerThanOurs],
  [false, "argon2id with one pass over more memory", `$argon2id$v=19$m=47104,t=1,p=1$${salted}`],
  [true, "argon2id with less memory", `$argon2id$v=19$m=12288,t=2,p=1$${salted}`],
  [true, "argon2id with one pass", `$argon2id$v=19$m=19456,t=1,p=1$${salted}`],
  [true, "argon2id with very many passes over little memory", `$argon2id$v=19$m=1024,t=100,p=1$${salted}`],
  [true, "argon2id of version 16", `$argon2id$v=16$m=65536,t=2,p=1$${salted}`],
  [true, "argon2i", `$argon2i$v=19$m=65536,t=2,p=1$${salted}`],
  [true, "bcrypt", "$2b$14$abcdefghijklmnopqrstuuQX0UT5K1VUA1oQjRiWLJJd7UD69yRui"],
  [
    true,
    "PBKDF2",
    "$pbkdf2-sha256$2000000$....................IQ$SZAFXxItlsHXF7bUL8UILQCJJxCrGq6Z6fbao8Ee8KA",
  ],
])("needs an upgrade: %s for %s", (expected, _, stored) => {
  expect(needsUpgrade(stored)).toBe(expected);
});

const pbkdf2 = (iterations: number) =>
  `$pbkdf2-sha256$i=${iterations}$c2FsdHNhbHQ$SZAFXxItlsHXF7bUL8UILQCJJxCrGq6Z6fbao8Ee8KA`;
const bcrypt = (cost: string) => `$2b$${cost}$abcdefghijklmnopqrstuuQX0UT5K1VUA1oQjRiWLJJd7UD69yRui`;
const argon2 = (parameters: string) => `$argon2id$v=19$${parameters}$${salted}`;

test.each([
  [argon2("m=262144,t=10,p=4"), true],
  [argon2("m=262145,t=10,p=4"), false],
  [argon2("m=262144,t=11,p=4"), false],
  [argon2("m=262144,t=10,p=5"), false],
  [bcrypt("14"), true],
  [bcrypt("15"), false],
  [bcrypt("03"), false],
  [pbkdf2(2_000_000), true],
  [pbkdf2(2_000_001), false],
])("an import cannot stop the logins by what a hash costs: %s: %s", (hash, accepted) => {
  expect(ImportedPasswordHash.safeParse(hash).success).toBe(accepted);
});

test("a new password has at least 8 characters", () => {
  expect(NewPassword.safeParse("1234567").success).toBe(false);
  expect(NewPassword.safeParse("12345678").success).toBe(true);
  expect(NewPassword.safeParse("x".repeat(1025)).success).toBe(false);
});

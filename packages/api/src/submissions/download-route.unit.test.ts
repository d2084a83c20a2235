import { expect, test } from "vitest";
import { asAttachment } from "./download-route.ts";

test.each([
  ["essay.pdf", `filename="essay.pdf"; filename*=UTF-8''essay.pdf`],
  ["Prüfung 1.pdf", `filename="Pr_fung 1.pdf"; filename*=UTF-8''Pr%C3%BCfung%201.pdf`],
  [`a"; x="b`, `filename="a_; x=_b"; filename*=UTF-8''a%22%3B%20x%3D%22b`],
  ["a\r\nSet-Cookie: b", `filename="a__Set-Cookie: b"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b`],
  ["it's (1)*.txt", `filename="it's (1)*.txt"; filename*=UTF-8''it%27s%20%281%29%2A.txt`],
  ["../../etc/passwd", `filename=".._.._etc_passwd"; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd`],
  ["lone \ud800", `filename="lone _"; filename*=UTF-8''lone%20%EF%BF%BD`],
])("%j is named without harm", (name, expected) => {
  const header = asAttachment(name);
  expect(header).toBe(`attachment; ${expected}`);
  expect(new Headers({ "content-disposition": header }).get("content-disposition")).toBe(header);
});

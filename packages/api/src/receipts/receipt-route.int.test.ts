import {
  newAssignment,
  newSlug,
  openSchool,
  runtimes,
  type School,
  type Servers,
  type SharedWorkers,
  sharedWorkers,
  test,
  textFile,
} from "@carillon/testkit";
import { describe, expect } from "vitest";

let servers: Servers;

describe.each(runtimes)("a receipt's address on %s", (runtime) => {
  let workers: SharedWorkers;
  let school: School;
  let receipt: string;
  const key = `<script>alert("1")</script>`;
  test.beforeAll(async () => {
    workers = await sharedWorkers(runtime);
    servers = workers.servers;
    school = await openSchool(workers.gateway.url, servers.signingKey, newSlug(`receipts-${runtime}`));
    const { assignmentId } = await school.teacher.client.assignments.publish.mutate(
      newAssignment(school.classId, "TMA1"),
    );
    const work = { assignmentId, key, file: textFile("my essay") };
    ({ receipt } = await school.student.client.submissions.submit.mutate(work));
  });

  const get = (jws: string, accept?: string) =>
    fetch(`${workers.gateway.url}/receipts/${jws}`, { headers: accept ? { accept } : {} });
  const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  /** With the first letter of its signature changed: the last ones may say nothing. */
  const forged = () =>
    receipt.replace(/\.([^.])([^.]*)$/, (_, letter, rest) => `.${letter === "A" ? "B" : "A"}${rest}`);

  test("says what was handed in, as JSON", async () => {
    const answer = await get(receipt);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      valid: true,
      receipt: { key, tenantId: school.tenantId, studentId: school.student.userId },
    });
  });

  test("is a page for a browser, which runs nothing of what was handed in and names no person", async () => {
    const answer = await get(receipt, browser);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const page = await answer.text();
    expect(page).toContain("This receipt is genuine");
    expect(page).toContain("&lt;script&gt;");
    expect(page).not.toContain("<script");
    expect(page).toContain(receipt);
    expect(page).toContain("Europe/London");
    expect(page).not.toMatch(/>student</);
  });

  test.each(["forged", "cut off", "nonsense"])(
    "of a receipt that is %s says that it is none",
    async (kind) => {
      const text = { forged: forged(), "cut off": receipt.slice(0, -20), nonsense: "<b>" }[kind] ?? "";
      const asJson = await get(encodeURIComponent(text));
      expect(asJson.status).toBe(400);
      expect(await asJson.json()).toMatchObject({ error: { data: { errorCode: "malformed" } } });
      const asPage = await get(encodeURIComponent(text), browser);
      expect(asPage.status).toBe(400);
      const page = await asPage.text();
      expect(page).toContain("not a valid receipt");
      expect(page).not.toContain("genuine");
    },
  );
});

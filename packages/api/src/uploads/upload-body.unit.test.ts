import { expect, test } from "vitest";
import { discardUnread, uploadBody } from "./upload-body.ts";

const piece = new Uint8Array(10);

/** A request's body of so many pieces, which then ends or breaks. */
function bodyOf(pieces: number, failure?: Error) {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (pulled++ < pieces) controller.enqueue(piece);
        else if (failure) controller.error(failure);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return { body, pulled: () => pulled };
}

const bytesOf = async (content: ReadableStream<Uint8Array>) => (await new Response(content).bytes()).length;

test("what came before the connection broke is given, and then it ends", async () => {
  const { body } = bodyOf(3, new Error("gone"));
  const { content, failure } = uploadBody(body);
  expect(await bytesOf(content)).toBe(30);
  expect(failure()).toMatchObject({ code: "content_missing", cause: { message: "gone" } });
});

test("no more is given than the limit, and it is said that more came", async () => {
  const { body } = bodyOf(5);
  const { content, limit, failure, finish } = uploadBody(body);
  limit(25);
  expect(await bytesOf(content)).toBe(20);
  expect(failure()).toMatchObject({ code: "content_too_large" });
  await finish();
  expect(failure()).toMatchObject({ code: "content_too_large" });
});

test("a body that is complete, or that is not there, ends without a failure", async () => {
  const whole = uploadBody(bodyOf(2).body);
  whole.limit(20);
  expect([await bytesOf(whole.content), whole.failure()]).toEqual([20, undefined]);
  const none = uploadBody(null);
  expect([await bytesOf(none.content), none.failure()]).toEqual([0, undefined]);
});

test("nothing is read before it is asked for, and what is left is read in the end", async () => {
  const { body, pulled } = bodyOf(4);
  const { content, finish } = uploadBody(body);
  const reader = content.getReader();
  await reader.read();
  expect(pulled()).toBe(1);
  await finish();
  expect(pulled()).toBe(5);
  expect((await reader.read()).done).toBe(true);
});

test("a refused body is read to its end, unless somebody reads it already", async () => {
  const refused = bodyOf(3);
  await discardUnread(refused.body);
  expect(refused.pulled()).toBe(4);
  const taken = bodyOf(3);
  taken.body.getReader();
  await discardUnread(taken.body);
  expect(taken.pulled()).toBe(0);
});

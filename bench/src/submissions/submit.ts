import { type AppRouter, retryWhenBusy } from "@carillon/client";
import { createTRPCClient, httpLink, TRPCClientError } from "@trpc/client";
import { leanFetch } from "../harness/lean-fetch.ts";
import { digestOf, type HandIn } from "./hand-in.ts";

/** Hands something in and gives the receipt. The same again is the same request, byte for byte. */
export type Submit = (handIn: HandIn) => Promise<string>;

export interface SubmitOptions {
  /** Where the students come in. */
  readonly url: string;
  readonly tokenOf: (handIn: HandIn) => string;
  /** For how long a client tries again that is asked to wait or gets no answer, in milliseconds. */
  readonly patienceMs: number;
  /** After how long without an answer it breaks the connection and sends the request again, in milliseconds. */
  readonly answerTimeoutMs?: number;
  readonly onWait?: NonNullable<Parameters<typeof retryWhenBusy>[0]["onWait"]>;
}

/** The clients: one that is asked to wait tries again by itself, as the web page does. */
export function submitTo({ url, tokenOf, patienceMs, answerTimeoutMs, onWait }: SubmitOptions): Submit {
  const client = createTRPCClient<AppRouter>({
    links: [
      retryWhenBusy({ patienceMs, onWait }),
      httpLink({
        url: `${url}/trpc`,
        fetch: leanFetch(answerTimeoutMs),
        headers: ({ op }) => ({ authorization: `Bearer ${op.context.token}` }),
      }),
    ],
  });
  return async (handIn) => {
    const { assignmentId, key, content } = handIn;
    const file = { name: "answers.json", mediaType: "application/json", base64: content.toString("base64") };
    const { receipt } = await client.submissions.submit.mutate(
      { assignmentId, key, file, sha256: digestOf(content) },
      { context: { token: tokenOf(handIn) } },
    );
    return receipt;
  };
}

/** Why a call failed, in a word. */
export const failureOf = (error: unknown): string =>
  error instanceof TRPCClientError ? (error.data?.errorCode ?? error.message) : String(error);

/** The digest that a receipt of Carillon's confirms. */
export function digestIn(receipt: string): string {
  const [, payload = ""] = receipt.split(".");
  return JSON.parse(Buffer.from(payload, "base64url").toString()).sha256;
}

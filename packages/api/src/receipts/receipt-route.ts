import { tenantDecider } from "@carillon/domain";
import { type EventLog, type Receipt, verifyReceipt } from "@carillon/platform";
import { accepts } from "hono/accepts";
import { errorResponse } from "../http/errors.ts";
import type { WorkerApp } from "../http/trpc-app.ts";
import type { ReceiptKeys } from "./receipt-keys.ts";
import { noReceiptPage, pageHeaders, receiptPage } from "./receipt-page.ts";

interface ReceiptServices {
  readonly eventLog: Pick<EventLog, "load">;
  readonly receiptKeys: Pick<ReceiptKeys, "published" | "ready">;
}

const notOurs =
  "None of our keys has signed this text. Check that it was copied completely, from the first letter to the last.";

/** Serves `/receipts/:jws`, what a receipt says to anybody who has it: JSON, or a page for clients that accept `text/html`. */
export function receiptRoute(app: WorkerApp, { eventLog, receiptKeys }: ReceiptServices): void {
  app.get("/receipts/:jws", async (context) => {
    const jws = context.req.param("jws");
    const asPage =
      accepts(context, {
        header: "Accept",
        supports: ["application/json", "text/html"],
        default: "application/json",
      }) === "text/html";
    context.header("vary", "accept");
    context.header("cache-control", "no-store");
    const receipt = await read(jws);
    if (!asPage) {
      if (!receipt) return errorResponse({ code: "malformed", message: notOurs });
      return context.json({ valid: true, receipt });
    }
    if (!receipt) return context.body(await noReceiptPage(notOurs), 400, pageHeaders);
    const school = await schoolOf(receipt);
    return context.body(await receiptPage({ jws, receipt, school }), 200, pageHeaders);
  });

  /** Undefined for what is no receipt of ours. Throws `unavailable` where we cannot know our keys. */
  const read = async (jws: string): Promise<Receipt | undefined> => {
    await receiptKeys.ready();
    const keys = await receiptKeys.published();
    return verifyReceipt(jws, keys).catch(() => undefined);
  };

  /** The receipt is as valid without it. */
  const schoolOf = async ({ tenantId }: Receipt) => {
    const { state } = await eventLog
      .load(tenantDecider, tenantId, tenantId)
      .catch(() => ({ state: undefined }));
    return state?.profile;
  };
}

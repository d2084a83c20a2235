import type { TenantId } from "@carillon/domain";
import { AckPolicy, DeliverPolicy, JsHeaders } from "nats";
import {
  type JetStream,
  lastMessage,
  messagesOf,
  publishAfter,
  type StoredMessage,
} from "../nats/jetstream-message.ts";
import { isYoung } from "./content-age.ts";
import type { StoredContent } from "./content-store.ts";

const bucketName = "content";
const stream = `KV_${bucketName}`;
const prefix = `$KV.${bucketName}.`;

/** Content of which each is one message of the key-value bucket `content`, which is made if it is not there. */
export async function openSmallContent(jetStream: JetStream) {
  const { bus, js, manager } = jetStream;
  await js.views.kv(bucketName, { history: 1 });

  const find = (tenantId: TenantId, sha256: string): Promise<StoredMessage | undefined> =>
    lastMessage(bus, stream, subjectOf(tenantId, sha256));

  return {
    find,
    async put(tenantId: TenantId, sha256: string, content: Uint8Array): Promise<void> {
      const subject = subjectOf(tenantId, sha256);
      for (;;) {
        if (await publishAfter(js, subject, 0, content)) return;
        const stored = await find(tenantId, sha256);
        // A collector was faster.
        if (!stored) continue;
        if (isYoung(stored.at) || (await publishAfter(js, subject, stored.sequence, content))) return;
      }
    },
    async *list(): AsyncGenerator<StoredContent> {
      const all = { deliver_policy: DeliverPolicy.All, ack_policy: AckPolicy.None, headers_only: true };
      for await (const { subject, seq, info, headers } of messagesOf(jetStream, stream, all)) {
        const [tenantId, sha256] = subject.slice(prefix.length).split(".");
        yield {
          tenantId: tenantId as TenantId,
          sha256: sha256 as string,
          bytes: Number(headers?.get(JsHeaders.MessageSizeHdr)),
          storedAt: new Date(info.timestampNanos / 1_000_000),
          version: `${seq}`,
        };
      }
    },
    /** Whether it was there and was not stored again: that has a higher sequence. */
    async delete(tenantId: TenantId, sha256: string, sequence: number): Promise<boolean> {
      const purge = { filter: subjectOf(tenantId, sha256), seq: sequence + 1 };
      return (await manager.streams.purge(stream, purge)).purged > 0;
    },
  };
}

const subjectOf = (tenantId: TenantId, sha256: string) => `${prefix}${tenantId}.${sha256}`;

import type { TenantId } from "@carillon/domain";
import {
  type JetStreamManager,
  type MsgRequest,
  nanos,
  RetentionPolicy,
  StorageType,
  type StoredMsg,
} from "nats";
import type { Bus } from "../nats/bus.ts";
import { ensureStream, storedMessage, streamManager } from "../nats/jetstream.ts";

/** The JetStream stream that carries work: what is done is gone from it. */
export const workStream = "WORK";

/** The JetStream stream of the work that could not be done, and of who gave up which. Kept until somebody acts. */
export const deadStream = "DEAD";

/** Whose work it is and what is to be done: each tenant has a queue of its own for each handler. */
export interface QueueKey {
  readonly handler: string;
  readonly tenantId: TenantId;
}

/** What the first part of a subject says of the work: to be done, not to be done, or given up by somebody. */
export type WorkKind = "work" | "dead" | "discarded";

/** `work.<handler>.<tenantId>`, or the subjects of every handler or tenant that is left out. */
export const workSubject = (kind: WorkKind, { handler = "*", tenantId }: Partial<QueueKey> = {}) =>
  `${kind}.${handler}.${tenantId ?? "*"}`;

/** The key of the queue that a subject belongs to. */
export function queueKeyOf(subject: string): QueueKey {
  const [, handler, tenantId] = subject.split(".");
  if (!handler || !tenantId) throw new Error(`${subject} is not the subject of a work queue`);
  return { handler, tenantId: tenantId as TenantId };
}

/** Work whose worker died comes again after this, in milliseconds; a worker that lives says so in time. */
export const ackWaitMs = 10_000;

// A worker that is not sure whether it sent something sends it again within this.
const duplicateWindowMs = 120_000;

/** Makes both streams if they are not there. */
export async function ensureWorkStreams(bus: Bus): Promise<JetStreamManager> {
  const manager = await streamManager(bus);
  const both = { storage: StorageType.File, duplicate_window: nanos(duplicateWindowMs) };
  await ensureStream(manager, {
    ...both,
    name: deadStream,
    subjects: ["dead.>", "discarded.>"],
    retention: RetentionPolicy.Limits,
  });
  await ensureStream(manager, {
    ...both,
    name: workStream,
    subjects: ["work.>"],
    retention: RetentionPolicy.Workqueue,
  });
  return manager;
}

/** Publishes and resolves when it is on disk. The same `messageId` within two minutes is the same message. */
export async function publishWork(
  bus: Bus,
  subject: string,
  data: Uint8Array,
  messageId: string,
): Promise<void> {
  await bus.jetstream().publish(subject, data, { msgID: messageId });
}

/** The first message of `subject`, which may have wildcards, at the sequence `seq` or after it. */
export async function messageFrom(
  manager: JetStreamManager,
  stream: string,
  seq: number,
  subject: string,
): Promise<StoredMsg | undefined> {
  // The server takes it (2.9); the client's type has forgotten it.
  return storedMessage(manager, stream, { seq, next_by_subj: subject } as MsgRequest);
}

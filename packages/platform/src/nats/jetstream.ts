import { type JetStreamManager, type MsgRequest, NatsError, type StoredMsg, type StreamConfig } from "nats";
import type { Bus } from "./bus.ts";

// A request that is sent while the connection is broken is never answered.
const requestTimeoutMs = 2_000;

/** What asks the broker about streams and their consumers. */
export const streamManager = (bus: Bus, timeoutMs = requestTimeoutMs): Promise<JetStreamManager> =>
  bus.jetstreamManager({ timeout: timeoutMs, checkAPI: false });

/** Makes a stream if there is none of its name; one that is there stays as it is. */
export async function ensureStream(
  manager: JetStreamManager,
  config: Partial<StreamConfig> & Pick<StreamConfig, "name">,
): Promise<void> {
  try {
    await manager.streams.info(config.name);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await manager.streams.add(config);
  }
}

/** A message of a stream, asked of the stream's leader; undefined if there is none. */
export async function storedMessage(
  manager: JetStreamManager,
  stream: string,
  query: MsgRequest,
): Promise<StoredMsg | undefined> {
  try {
    return await manager.streams.getMessage(stream, query);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Whether JetStream says that a stream, a consumer or a message is not there. */
export const isNotFound = (error: unknown) => error instanceof NatsError && error.api_error?.code === 404;

/** Whether JetStream refused a message since another came first: "wrong last sequence". */
export const isWrongLastSequence = (error: unknown) => hasCode(error, 10_071);

/** Whether JetStream could not store a message, as where the stream is full. */
export const isStoreFailure = (error: unknown) => hasCode(error, 10_077);

const hasCode = (error: unknown, code: number) =>
  error instanceof NatsError && error.api_error?.err_code === code;

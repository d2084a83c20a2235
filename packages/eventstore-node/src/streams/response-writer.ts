import type { ServerWritableStream, StatusObject } from "@grpc/grpc-js";
import { WireWriter } from "../encoding/protobuf.ts";
import { drained } from "../wire/drained.ts";

const writer = new WireWriter();

/** The sending side of one read call. Once the client is gone, everything sent is dropped. */
export class ResponseWriter {
  readonly #call: ServerWritableStream<unknown, Buffer>;

  constructor(call: ServerWritableStream<unknown, Buffer>) {
    this.#call = call;
  }

  get isOpen(): boolean {
    return !this.#call.cancelled && this.#call.writable;
  }

  /** Calls `listener` once when the call is over, whichever side ended it. */
  onClose(listener: () => void): void {
    this.#call.once("close", listener);
  }

  /** Sends one encoded `ReadResp`. False: await `drained` before sending more. */
  send(message: Buffer): boolean {
    return !this.isOpen || this.#call.write(message);
  }

  /** Resolves when the client has taken enough to go on, or is gone. */
  drained(): Promise<void> {
    return drained(this.#call);
  }

  end(): void {
    if (this.isOpen) this.#call.end();
  }

  fail(error: StatusObject): void {
    if (this.isOpen) this.#call.emit("error", error);
  }
}

/** The first message of a subscription. */
export function confirmation(subscriptionId: string): Buffer {
  return writer.message(2, (message) => message.string(1, subscriptionId)).finish();
}

/** Tells a filtered subscription how far the log was searched. */
export function checkpoint(position: number): Buffer {
  return writer.message(3, (message) => message.uint(1, position).uint(2, position)).finish();
}

/** The only answer to a read of a stream that is not there. */
export function streamNotFound(stream: string): Buffer {
  return writer
    .message(4, (message) => message.message(1, (identifier) => identifier.string(3, stream)))
    .finish();
}

/** Tells a subscription that it has everything that is there now. */
export function caughtUp(): Buffer {
  return writer.message(8, () => {}).finish();
}

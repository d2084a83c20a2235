import type { ServerDuplexStream, ServerWritableStream } from "@grpc/grpc-js";

type AnsweringCall = ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>;

/** Resolves when the client of `call` has taken enough to be sent more, or is gone. */
export function drained(call: AnsweringCall): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      call.off("drain", done);
      call.off("close", done);
      resolve();
    };
    call.once("drain", done);
    call.once("close", done);
    if (!call.writableNeedDrain || call.cancelled || !call.writable) done();
  });
}

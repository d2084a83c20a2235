import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";

/** How many bytes of a call may be on their way to the socket before its writer is told to wait. */
const WINDOW_BYTES = 128 * 1024;

/**
 * grpc-js waits for each message of a call to reach the socket before it takes the next, which costs one turn of the
 * event loop per message. This lets a window of messages go together; past the window the writer waits as before, so a
 * slow client still holds its writer back. Messages must be buffers.
 */
export const pipelinedWrites: ServerInterceptor = (method, call) =>
  method.responseStream ? new PipelinedCall(call) : new ServerInterceptingCall(call);

class PipelinedCall extends ServerInterceptingCall {
  #bytes = 0;
  #waiting: (() => void) | undefined;

  override sendMessage(message: Buffer, callback: () => void): void {
    this.#bytes += message.length;
    super.sendMessage(message, () => {
      this.#bytes -= message.length;
      if (this.#bytes >= WINDOW_BYTES || this.#waiting === undefined) return;
      const resume = this.#waiting;
      this.#waiting = undefined;
      resume();
    });
    if (this.#bytes < WINDOW_BYTES) callback();
    else this.#waiting = callback;
  }
}

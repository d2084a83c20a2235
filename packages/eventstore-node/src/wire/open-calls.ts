import type { ServerDuplexStream, ServerWritableStream } from "@grpc/grpc-js";
import { stopping } from "./rpc-errors.ts";

type LongCall = ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>;

/** The calls that last until the client or the node ends them: reads, subscriptions and batch appends. */
export class OpenCalls {
  readonly #calls = new Set<LongCall>();

  add(call: LongCall): void {
    this.#calls.add(call);
    call.once("close", () => this.#calls.delete(call));
  }

  /** Ends every call with UNAVAILABLE, on which clients connect again. What was written before still reaches them. */
  endAll(): void {
    for (const call of this.#calls) call.emit("error", stopping());
  }
}

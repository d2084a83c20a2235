import { type ServerDuplexStream, type StatusObject, status } from "@grpc/grpc-js";
import type { Access } from "../access/access.ts";
import type { EventLog } from "../storage/log.ts";
import { drained } from "../wire/drained.ts";
import { toStatus } from "../wire/rpc-errors.ts";
import { readBatchAppend } from "./append-requests.ts";
import { type Answer, encodeAnswer, failureAnswer, resultAnswer } from "./batch-append-answers.ts";
import { type BatchedAppend, UnfinishedAppends } from "./unfinished-appends.ts";

type BatchAppendStream = ServerDuplexStream<Buffer, Buffer>;

/** Past so many appends of one call that wait to be written, the call is held back. */
const UNANSWERED_LIMIT = 4096;

/** Serves one batch append call: many appends, each answered once under its correlation id, in any order. */
export function handleBatchAppend(
  log: EventLog,
  access: Access,
  call: BatchAppendStream,
  now: () => number,
): void {
  const served = new BatchAppendCall(log, access, call, now);
  call.on("data", (bytes: Buffer) => served.receive(bytes));
  call.on("close", () => served.close());
  call.on("end", () => served.end());
}

class BatchAppendCall {
  readonly #log: EventLog;
  readonly #call: BatchAppendStream;
  readonly #unfinished: UnfinishedAppends;
  /** How many appends wait to be written. */
  #unanswered = 0;
  /** The client sends no more. */
  #hasEnded = false;
  /** What ends the call with an error once all that was taken before is answered. */
  #failure: StatusObject | undefined;
  #isOver = false;
  #isHeldBack = false;
  #onAnswer: (() => void) | undefined;

  constructor(log: EventLog, access: Access, call: BatchAppendStream, now: () => number) {
    this.#log = log;
    this.#call = call;
    this.#unfinished = new UnfinishedAppends({
      isAllowed: (stream) => access.mayAccess(call.metadata, "write", stream),
      answer: (append, refusal) => this.#answer(append, refusal),
      now,
    });
  }

  /** Takes in a `BatchAppendReq`. */
  receive(bytes: Buffer): void {
    if (this.#failure !== undefined) return;
    try {
      const complete = this.#unfinished.add(readBatchAppend(bytes));
      if (complete !== undefined) void this.#write(complete);
    } catch (error) {
      this.#failure = toStatus(error);
      this.#settle();
      return;
    }
    void this.#holdBack();
  }

  /** The client sends no more; it still gets its answers. */
  end(): void {
    this.#hasEnded = true;
    this.#unfinished.end();
    this.#settle();
  }

  close(): void {
    this.#unfinished.clear();
  }

  async #write(append: BatchedAppend): Promise<void> {
    this.#unanswered++;
    try {
      const result = await this.#log.append({ ...append.options, events: append.events });
      this.#answer(append, resultAnswer(append.options, result));
    } catch (error) {
      const failure = toStatus(error);
      if (failure.code === status.UNAVAILABLE) this.#failure ??= failure;
      else this.#answer(append, failureAnswer(failure.code, failure.details));
    }
    this.#unanswered--;
    this.#onAnswer?.();
    this.#settle();
  }

  #answer({ correlationId, options }: BatchedAppend, result: Answer): void {
    if (this.#isOpen) this.#call.write(encodeAnswer(correlationId, options, result));
  }

  /** Ends the call when its time has come: the answers of what was taken before go first. */
  #settle(): void {
    if (this.#unanswered > 0 || this.#isOver || !(this.#hasEnded || this.#failure !== undefined)) return;
    this.#isOver = true;
    if (this.#failure === undefined) this.#call.end();
    else this.#call.emit("error", this.#failure);
  }

  /** Takes in nothing while more would only pile up: in the log, or as answers that the client does not read. */
  async #holdBack(): Promise<void> {
    if (this.#isHeldBack) return;
    this.#isHeldBack = true;
    for (let wait = this.#obstacle(); wait !== undefined; wait = this.#obstacle()) {
      this.#call.pause();
      await wait;
    }
    this.#isHeldBack = false;
    if (this.#call.isPaused()) this.#call.resume();
  }

  #obstacle(): Promise<void> | undefined {
    if (this.#log.isFull) return this.#log.room();
    if (this.#unanswered >= UNANSWERED_LIMIT) return new Promise((resolve) => (this.#onAnswer = resolve));
    if (this.#call.writableNeedDrain && this.#isOpen) return drained(this.#call);
    return undefined;
  }

  get #isOpen(): boolean {
    return this.#call.writable && !this.#call.cancelled;
  }
}

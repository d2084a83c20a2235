import type { ProposedEvent } from "../storage/write-batch.ts";
import { MAX_APPEND_SIZE, tooManyUnfinished } from "../wire/rpc-errors.ts";
import { type AppendOptions, appendSize, type BatchAppendMessage } from "./append-requests.ts";
import { ACCESS_DENIED, type Answer, badRequestAnswer, TIMEOUT, TOO_LARGE } from "./batch-append-answers.ts";

/** One append of a batch append call, with the events of those of its messages that have come in. */
export interface BatchedAppend {
  /** The id's message as it came. */
  readonly correlationId: Buffer;
  readonly options: AppendOptions;
  readonly events: ProposedEvent[];
  /** What the events count against the maximum append size, in bytes. */
  size: number;
  /** Set once it has been answered with an error; its other messages are read and dropped. */
  refused: boolean;
  /** Runs while more of its messages have to come. */
  alarm?: NodeJS.Timeout;
}

/** A call may have so many appends open at a time, and so many bytes in them: until the last message they wait in memory. */
const UNFINISHED_LIMIT = 4096;
const UNFINISHED_LIMIT_BYTES = 32 * MAX_APPEND_SIZE;

/** What timers can count. */
const LONGEST_ALARM_MS = 2 ** 31 - 1;

const NO_OPTIONS: AppendOptions = { stream: "", expected: "any", deadline: Infinity };

/** What the appends of one call depend on. */
export interface BatchedAppendRules {
  /** Whether the caller may write to the stream. */
  readonly isAllowed: (stream: string) => boolean;
  /** Answers an append that is not written. */
  readonly answer: (append: BatchedAppend, refusal: Answer) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The appends of one batch append call that still wait for messages. */
export class UnfinishedAppends {
  readonly #rules: BatchedAppendRules;
  readonly #open = new Map<string, BatchedAppend>();
  #bytes = 0;

  constructor(rules: BatchedAppendRules) {
    this.#rules = rules;
  }

  /**
   * Adds one message to its append; gives the append when that was its last message and it is to be written.
   * @throws a RESOURCE_EXHAUSTED status when too much is open.
   */
  add(message: BatchAppendMessage): BatchedAppend | undefined {
    const key = message.correlationId.toString("latin1");
    let append = this.#open.get(key);
    if (append === undefined) {
      append = newAppend(message);
      this.#open.set(key, append);
    }
    if (!append.refused) this.#takeIn(append, message);
    if (!message.isFinal) {
      if (this.#open.size > UNFINISHED_LIMIT || this.#bytes > UNFINISHED_LIMIT_BYTES)
        throw tooManyUnfinished();
      this.#expectMore(append);
      return undefined;
    }
    this.#open.delete(key);
    clearTimeout(append.alarm);
    if (append.refused) return undefined;
    this.#bytes -= append.size;
    return append;
  }

  /** Refuses all that wait: no more messages come. */
  end(): void {
    for (const append of this.#open.values()) {
      if (!append.refused) this.#refuse(append, badRequestAnswer("an append was not ended"));
    }
  }

  /** Forgets all that wait: the call is over. */
  clear(): void {
    for (const append of this.#open.values()) clearTimeout(append.alarm);
    this.#open.clear();
  }

  #takeIn(append: BatchedAppend, message: BatchAppendMessage): void {
    const before = append.size;
    const refusal = takeIn(append, message, this.#rules.isAllowed);
    this.#bytes += append.size - before;
    if (refusal !== undefined) this.#refuse(append, refusal);
  }

  #refuse(append: BatchedAppend, refusal: Answer): void {
    append.refused = true;
    append.events.length = 0;
    this.#bytes -= append.size;
    clearTimeout(append.alarm);
    this.#rules.answer(append, refusal);
  }

  /** Sees to it that an append whose last message does not come is answered at its deadline. */
  #expectMore(append: BatchedAppend): void {
    const { deadline } = append.options;
    if (append.refused || append.alarm !== undefined || deadline === Infinity) return;
    const left = Math.min(Math.max(deadline - this.#rules.now(), 0), LONGEST_ALARM_MS);
    append.alarm = setTimeout(() => this.#refuse(append, TIMEOUT), left);
  }
}

function newAppend({ correlationId, options = NO_OPTIONS }: BatchAppendMessage): BatchedAppend {
  return { correlationId, options, events: [], size: 0, refused: false };
}

/** Adds the events of one message to their append; gives the answer when that refuses it. */
function takeIn(
  append: BatchedAppend,
  { events, options, problem }: BatchAppendMessage,
  isAllowed: (stream: string) => boolean,
): Answer | undefined {
  const reason = problem ?? (append.options === NO_OPTIONS ? "an append needs options" : undefined);
  if (reason !== undefined) return badRequestAnswer(reason);
  if (options !== undefined && !isAllowed(options.stream)) return ACCESS_DENIED;
  for (const event of events) {
    append.size += appendSize(event);
    append.events.push(event);
  }
  return append.size <= MAX_APPEND_SIZE ? undefined : TOO_LARGE;
}

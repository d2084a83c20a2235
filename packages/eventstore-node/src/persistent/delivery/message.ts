import { resolveLink } from "../../storage/links.ts";
import type { EventLog } from "../../storage/log.ts";
import { recordId, recordPosition } from "../../storage/record.ts";
import { pinningKey } from "../messages.ts";
import type { GroupSettings } from "../settings.ts";

/** An event on its way. Its bytes stay in the log until it is sent, so that waiting costs next to nothing. */
export interface Message {
  readonly id: string;
  /** Where its record is in the log. */
  readonly position: number;
  /** Where it stands in the source; undefined for one that was parked, which no checkpoint waits for. */
  readonly sourcePosition: number | undefined;
  retries: number;
  pinningKey: string | undefined;
}

/** The message for `record`, which stands at `sourcePosition`. */
export function newMessage(record: Buffer, sourcePosition: number | undefined): Message {
  return {
    id: recordId(record),
    position: recordPosition(record),
    sourcePosition,
    retries: 0,
    pinningKey: undefined,
  };
}

/** Reads what messages stand for, as the settings of their group want it. */
export class MessageReader {
  readonly #log: EventLog;
  readonly #settings: GroupSettings;
  readonly #now: () => number;

  constructor(log: EventLog, settings: GroupSettings, now: () => number) {
    this.#log = log;
    this.#settings = settings;
    this.#now = now;
  }

  /** The record of the message, as it is in the log. */
  record(message: Message): Buffer {
    return this.#log.reader.at(message.position);
  }

  /** What a consumer gets: the record or, where links are resolved, what it stands for. */
  resolved(message: Message): Buffer {
    const record = this.record(message);
    return this.resolvesLink(message) ? resolveLink(this.#log.reader, record, this.#now()) : record;
  }

  /** A parked message is a link, whatever the group wants of other links. */
  resolvesLink(message: Message): boolean {
    return this.#settings.resolveLinkTos || message.sourcePosition === undefined;
  }

  /** What the pinning strategies keep together. */
  pinningKey(message: Message): string {
    message.pinningKey ??= pinningKey(
      this.#settings.consumerStrategyName,
      this.record(message),
      this.resolved(message),
    );
    return message.pinningKey;
  }
}

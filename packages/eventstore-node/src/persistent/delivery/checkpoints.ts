import type { EventLog } from "../../storage/log.ts";
import { parseObject } from "../../storage/stream-metadata.ts";
import { parseSourcePosition, sourcePositionText } from "../settings.ts";
import { appendSystemEvent, changeMetadata, checkpointStream } from "../streams.ts";

/** How many checkpoints of a group stay visible, as on the real server. */
const KEPT = 2;

/** How far one group has come, on disk. */
export class GroupCheckpoints {
  readonly #log: EventLog;
  readonly #source: string;
  readonly #stream: string;
  readonly #newId: () => string;

  constructor(log: EventLog, source: string, key: string, newId: () => string) {
    this.#log = log;
    this.#source = source;
    this.#stream = checkpointStream(key);
    this.#newId = newId;
  }

  /** The position up to which everything was done; undefined before the first checkpoint. */
  read(): number | undefined {
    const data = this.#log.reader.lastData(this.#stream);
    return data && parseSourcePosition(String(JSON.parse(data.toString())));
  }

  /** Resolves when the checkpoint is on disk. */
  async write(position: number): Promise<void> {
    const data = JSON.stringify(sourcePositionText(this.#source, position));
    const event = { type: "$SubscriptionCheckpoint", isJson: true, data };
    await appendSystemEvent(this.#log, this.#stream, event, this.#newId);
    // After the event: before it, changed metadata would show the checkpoints of a deleted group of the same name.
    const metadata = this.#log.reader.metadata(this.#stream);
    if (metadata && parseObject(metadata).$maxCount === KEPT) return;
    await changeMetadata(this.#log, this.#stream, { $maxCount: KEPT }, this.#newId);
  }

  async delete(): Promise<void> {
    if (this.#log.reader.view(this.#stream).kind === "found") await this.#log.softDelete(this.#stream, "any");
  }
}

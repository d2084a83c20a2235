import type { Category, DomainEventType } from "@carillon/domain";
import { type RecordedEvent, readStored, type StoredEvent } from "@carillon/platform";

/** What came of work. */
export type Outcome =
  | { readonly kind: "done" }
  /** It may succeed later: tried again after a while, a few times. */
  | { readonly kind: "retry"; readonly reason: string }
  /** It can never succeed. The reason is for people, and holds nothing personal. */
  | { readonly kind: "dead"; readonly reason: string };

type Recorded<Type extends DomainEventType> = Extract<RecordedEvent, { type: Type }>;

/** Work that every event of one type may need. */
export interface JobHandlerDefinition<Type extends DomainEventType> {
  /** Part of subjects and metrics: it must not change. */
  readonly name: string;
  readonly category: Category;
  readonly eventType: Type;
  /** Whether this event needs it. */
  readonly wants: (event: Recorded<Type>) => boolean;
  /** When it is to be done, if not at once. */
  readonly dueAt?: (event: Recorded<Type>) => Date;
  /**
   * Does it, and appends the result before it answers. It may be called again for the same event, also while
   * another process is at it. What it throws is a failure that may pass.
   */
  readonly handle: (event: Recorded<Type>) => Promise<Outcome>;
}

/** A handler whose functions take events as they stand on the bus. They throw `UnreadableEvent`. */
export interface JobHandler
  extends Pick<JobHandlerDefinition<DomainEventType>, "name" | "category" | "eventType"> {
  wants(event: StoredEvent): boolean;
  dueAt(event: StoredEvent): Date | undefined;
  handle(event: StoredEvent): Promise<Outcome>;
}

/** Makes a handler of its definition. */
export function defineHandler<Type extends DomainEventType>({
  name,
  category,
  eventType,
  wants,
  dueAt,
  handle,
}: JobHandlerDefinition<Type>): JobHandler {
  // The subject of the handler's feed holds events of its type only.
  const read = (event: StoredEvent) => readStored(event) as Recorded<Type>;
  return {
    name,
    category,
    eventType,
    wants: (event) => wants(read(event)),
    dueAt: (event) => dueAt?.(read(event)),
    handle: async (event) => handle(read(event)),
  };
}

export const done: Outcome = { kind: "done" };

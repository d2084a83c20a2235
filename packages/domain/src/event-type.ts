import type { z } from "zod";

/** Turns an event's data as version n wrote it into what version n + 1 would have written. */
export type Upcaster = (data: unknown) => unknown;

/** One type of event: the schema of its newest version and the way there from every older one. */
export interface EventType<Data extends z.ZodType = z.ZodType> {
  readonly version: number;
  readonly data: Data;
  /** `upcasters[n - 1]` leads from version n to n + 1. */
  readonly upcasters: readonly Upcaster[];
}

/**
 * Declares an event type. Each upcaster makes the version one higher.
 *
 * @example
 * ```ts
 * import { z } from "zod";
 *
 * const ClassOpened = eventType(z.object({ code: z.string(), lengthDays: z.int() }), [
 *   (v1) => ({ ...(v1 as object), lengthDays: 7 * (v1 as { weeks: number }).weeks }),
 * ]);
 * ```
 */
export const eventType = <Data extends z.ZodType>(
  data: Data,
  upcasters: readonly Upcaster[] = [],
): EventType<Data> => ({ version: upcasters.length + 1, data, upcasters });

/** The events of a catalogue of types as a union on `type`. */
export type EventOf<Catalogue extends Record<string, EventType>> = {
  [Type in keyof Catalogue & string]: {
    readonly type: Type;
    readonly data: z.output<Catalogue[Type]["data"]>;
  };
}[keyof Catalogue & string];

/** Thrown where an event cannot be read: of a type or version we do not know, or of a shape it never had. */
export class UnreadableEvent extends Error {
  constructor(type: string, version: number, message: string, options?: ErrorOptions) {
    super(`event ${type} version ${version}: ${message}`, options);
    this.name = "UnreadableEvent";
  }
}

/** Reads an event's data as some version wrote it into the newest version's shape. Throws `UnreadableEvent`. */
export function upcast<Data extends z.ZodType>(
  type: string,
  { version: newest, data: schema, upcasters }: EventType<Data>,
  version: number,
  data: unknown,
): z.output<Data> {
  if (!Number.isInteger(version) || version < 1 || version > newest) {
    throw new UnreadableEvent(type, version, `this program reads versions 1 to ${newest}`);
  }
  const current = upcasters.slice(version - 1).reduce((older, step) => step(older), data);
  const parsed = schema.safeParse(current);
  if (!parsed.success)
    throw new UnreadableEvent(type, version, parsed.error.message, { cause: parsed.error });
  return parsed.data;
}

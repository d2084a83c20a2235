/** How old content has to be before a collector may take it, in milliseconds. */
export const contentGraceMs = 24 * 3_600_000;

/** Whether content needs no storing again: no collector takes it for another half of the grace time. */
export const isYoung = (storedAt: Date): boolean => Date.now() - storedAt.getTime() < contentGraceMs / 2;

/** One side of the storm, with its school enrolled. */
export interface Side {
  /** Where its students come in. */
  readonly url: string;
  /** A JSON file: everybody's refresh token by number, null for one who has none. */
  readonly tokens: string;
  /** Its processes by name, at this moment. */
  pids(): Readonly<Record<string, number>>;
}

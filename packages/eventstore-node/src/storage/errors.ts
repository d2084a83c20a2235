/** What is stored cannot be read back as it was written. */
export class Damaged extends Error {
  /** @param what as in "the event at position 7 is damaged" */
  constructor(what: string) {
    super(`${what}; the command "verify" tells all that is damaged`);
    this.name = "Damaged";
  }
}

/** The store is being closed: it takes nothing more. */
export class Stopping extends Error {
  constructor() {
    super("the node is stopping");
    this.name = "Stopping";
  }
}

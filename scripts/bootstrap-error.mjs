/** The machine lacks something that we cannot provide; the message says what, and how to get it. */
export class BootstrapError extends Error {}

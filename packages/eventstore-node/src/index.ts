export type { TlsOption } from "./certificate.ts";
export { type NodeOptions, type RunningNode, startNode } from "./node.ts";
export type { DefaultPasswords } from "./users.ts";

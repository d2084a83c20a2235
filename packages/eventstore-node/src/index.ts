export type { TlsOption } from "./access/certificate.ts";
export type { DefaultPasswords } from "./access/users.ts";
export { type NodeOptions, type RunningNode, startNode } from "./node/node.ts";

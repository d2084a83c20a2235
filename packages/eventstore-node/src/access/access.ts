import type { Metadata } from "@grpc/grpc-js";
import type { LogReader } from "../storage/log-reader.ts";
import { accessDenied } from "../wire/rpc-errors.ts";
import { isOperator, mayAccess, SETTINGS_STREAM, type StreamAction } from "./acl.ts";
import { callerOf } from "./authentication.ts";

/** What the sender of a call, known by the call's metadata, may do. */
export interface Access {
  /** `stream` may be `$all`. */
  mayAccess(call: Metadata, action: StreamAction, stream: string): boolean;
  /** Whether the sender looks after the node: manages subscription groups and projections. */
  isOperator(call: Metadata): boolean;
  /** Whether the sender gave a name and its password. */
  isAuthenticated(call: Metadata): boolean;
}

/** A node without users lets every caller do everything. */
export const openAccess: Access = {
  mayAccess: () => true,
  isOperator: () => true,
  isAuthenticated: () => true,
};

/** Access by the lists that `reader` finds in stream metadata and `$settings`. */
export function listedAccess(reader: LogReader): Access {
  const stored = {
    metadata: (stream: string) => reader.metadata(stream),
    settings: () => reader.lastData(SETTINGS_STREAM),
  };
  return {
    mayAccess: (call, action, stream) => mayAccess(callerOf(call), action, stream, stored),
    isOperator(call) {
      const caller = callerOf(call);
      return caller !== undefined && isOperator(caller);
    },
    isAuthenticated: (call) => callerOf(call) !== undefined,
  };
}

/** Ends a call whose sender may not do this. @throws a PERMISSION_DENIED status. */
export function demand(isAllowed: boolean): void {
  if (!isAllowed) throw accessDenied();
}

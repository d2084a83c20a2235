import { type Metadata, ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { toStatus, unauthenticated } from "../wire/rpc-errors.ts";
import type { Caller } from "./acl.ts";
import type { Users } from "./users.ts";

const callers = new WeakMap<Metadata, Caller>();

/** Who made the call that came with this metadata; undefined when it came without a name. */
export function callerOf(metadata: Metadata): Caller | undefined {
  return callers.get(metadata);
}

/** Finds out who calls before any service hears of the call, and refuses a wrong name or password. */
export function authentication(users: Users): ServerInterceptor {
  return (_method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, forward) {
            const [header] = metadata.get("authorization");
            if (header === undefined) {
              forward(metadata);
              return;
            }
            users.authenticate(header.toString()).then(
              (caller) => {
                if (caller === undefined) {
                  call.sendStatus(unauthenticated());
                  return;
                }
                callers.set(metadata, caller);
                forward(metadata);
              },
              (error: unknown) => call.sendStatus(toStatus(error)),
            );
          },
        }),
    });
}

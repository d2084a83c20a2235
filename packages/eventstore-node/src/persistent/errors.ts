/** The errors of subscription groups, which the client decodes into its own classes. */
import { type StatusObject, status } from "@grpc/grpc-js";
import { rpcError } from "../wire/rpc-errors.ts";

/** There is no such group; an empty `group` stands for any on this source. */
export function groupDoesNotExist(source: string, group: string): StatusObject {
  return groupError(
    status.NOT_FOUND,
    "persistent-subscription-does-not-exist",
    source,
    group,
    `Subscription group ${group} on stream ${source} does not exist.`,
  );
}

/** A group of this name reads this source already. */
export function groupExists(source: string, group: string): StatusObject {
  return groupError(
    status.ALREADY_EXISTS,
    "persistent-subscription-exists",
    source,
    group,
    `Subscription group ${group} on stream ${source} exists.`,
  );
}

/** The group has as many consumers as it may. */
export function maximumSubscribersReached(source: string, group: string): StatusObject {
  return groupError(
    status.FAILED_PRECONDITION,
    "maximum-subscribers-reached",
    source,
    group,
    `Maximum subscriptions reached for subscription group ${group} on stream ${source}.`,
  );
}

/** The group was deleted, changed or restarted under its consumer. */
export function groupDropped(source: string, group: string): StatusObject {
  return groupError(
    status.CANCELLED,
    "persistent-subscription-dropped",
    source,
    group,
    `Subscription group ${group} on stream ${source} was dropped.`,
  );
}

/** The group cannot be as it is asked for. */
export function groupFailed(source: string, group: string, reason: string): StatusObject {
  return groupError(
    status.INTERNAL,
    "persistent-subscription-failed",
    source,
    group,
    `Subscription group ${group} on stream ${source} failed: '${reason}'`,
    { reason },
  );
}

function groupError(
  code: status,
  exception: string,
  source: string,
  group: string,
  details: string,
  more: Record<string, string> = {},
): StatusObject {
  return rpcError(code, details, { exception, "stream-name": source, "group-name": group, ...more });
}

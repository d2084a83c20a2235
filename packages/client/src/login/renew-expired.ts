import type { AppRouter } from "@carillon/api";
import type { TRPCLink } from "@trpc/client";
import { observable, type Unsubscribable } from "@trpc/server/observable";

/** The access token that calls are sent with. */
export interface Renewable {
  current(): string | undefined;
  /** Resolves when there is a newer one. */
  renew(): Promise<unknown>;
  /** Called when a call was refused because the session has ended. */
  ended(): void;
}

/** A link that gets a new access token where a call is refused as `token_expired`, and sends that call once more. */
export const renewExpired =
  ({ current, renew, ended }: Renewable): TRPCLink<AppRouter> =>
  () =>
  ({ op, next }) =>
    observable((observer) => {
      let underWay: Unsubscribable;
      let left = false;
      const used = current();

      const again = async () => {
        // Another call may have renewed it since this one was sent.
        if (current() === used) await renew();
        if (!left) underWay = next(op).subscribe(observer);
      };

      underWay = next(op).subscribe({
        next: (value) => observer.next(value),
        complete: () => observer.complete(),
        error(error) {
          if (error.data?.errorCode === "session_ended") ended();
          if (error.data?.errorCode !== "token_expired") return observer.error(error);
          again().catch((reason) => observer.error(reason));
        },
      });
      return () => {
        left = true;
        underWay.unsubscribe();
      };
    });

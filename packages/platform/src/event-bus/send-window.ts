/** Counts messages that were sent and those of them that were acknowledged, both by their sequence in the stream. */
export interface SendWindow {
  /** The sequence of the last message that was sent. */
  sent(): number;
  /** The sequence of the last message that was acknowledged. */
  acknowledged(): number;
  /** For how long the broker has said nothing while something was under way, in milliseconds. */
  silentForMs(): number;
  /** Counts a message as sent. Gives a promise where too many are under way, which resolves when half of them have arrived. */
  send(): Promise<void> | undefined;
  acknowledge(): void;
  /** Resolves when everything sent is acknowledged. */
  settled(): Promise<void>;
}

const maxInFlight = 512;

/**
 * @param sequence of the stream's last message
 * @param failed when it aborts, every promise rejects with its reason
 */
export function sendWindow(sequence: number, failed: AbortSignal): SendWindow {
  let sent = sequence;
  let acknowledged = sequence;
  let heardAt = Date.now();
  let room: PromiseWithResolvers<void> | undefined;
  failed.addEventListener("abort", () => room?.reject(failed.reason), { once: true });

  const waitUntil = async (inFlight: number) => {
    while (sent - acknowledged > inFlight) {
      failed.throwIfAborted();
      room ??= Promise.withResolvers();
      await room.promise;
    }
    failed.throwIfAborted();
  };

  return {
    sent: () => sent,
    acknowledged: () => acknowledged,
    silentForMs: () => Date.now() - heardAt,
    send() {
      if (sent === acknowledged) heardAt = Date.now();
      sent++;
      return sent - acknowledged >= maxInFlight ? waitUntil(maxInFlight / 2) : undefined;
    },
    acknowledge() {
      heardAt = Date.now();
      acknowledged++;
      if (room && (sent === acknowledged || sent - acknowledged <= maxInFlight / 2)) {
        room.resolve();
        room = undefined;
      }
    },
    settled: () => waitUntil(0),
  };
}

import { instantOf, keyringDecider, keyringId, type PublicKey, platformTenantId } from "@carillon/domain";
import { commandContext, type EventLog, publicKey, type SigningKey, signingKeys } from "@carillon/platform";

/** The keys of receipts. Each stands in the event log before it signs: a receipt can be checked for ever. */
export interface ReceiptKeys {
  /** The key that signs now. Throws `CarillonError` `unavailable` while the log cannot say that it knows it. */
  current(): Promise<SigningKey>;
  /** Every key that ever signed or is going to. While the log does not answer, those that are known. */
  published(): Promise<{ keys: ReturnType<typeof publicKey>[] }>;
  /** Resolves once the log knows all of our keys. Throws `CarillonError` `key_id_taken` or `unavailable`. */
  ready(): Promise<void>;
}

/** How long what the log answered is taken for the newest, in milliseconds: another worker may bring a key. */
const freshMs = 10_000;

/** Opens the keys that the settings name. */
export function openReceiptKeys(eventLog: Pick<EventLog, "execute" | "load">, own: readonly SigningKey[]) {
  const keys = signingKeys(own);
  const known = new Map<string, PublicKey>();
  let loadedAt = 0;
  let publishing: Promise<void> | undefined;

  const learn = (state: readonly PublicKey[]) => {
    for (const key of state) known.set(key.kid, key);
    loadedAt = Date.now();
  };

  const publishAll = async () => {
    const at = instantOf(new Date());
    const [first, ...others] = own.map(({ kid, x = "" }) => ({
      command: { type: "PublishReceiptKey", key: { kid, x } } as const,
      context: commandContext(platformTenantId, "system:api", at),
    }));
    if (first) learn((await eventLog.execute(keyringDecider, keyringId, [first, ...others])).state);
  };

  /** Once for all who wait; again after a failure. */
  const ready = () => {
    publishing ??= publishAll().catch((error: unknown) => {
      publishing = undefined;
      throw error;
    });
    return publishing;
  };

  const refresh = async () => {
    if (Date.now() - loadedAt < freshMs) return;
    learn((await eventLog.load(keyringDecider, platformTenantId, keyringId)).state);
  };

  return {
    ready,
    async current() {
      await ready();
      return keys.current(new Date());
    },
    async published() {
      await refresh().catch(() => {});
      const ours = keys.published(new Date());
      const others = [...known.values()].filter(({ kid }) => !own.some((key) => key.kid === kid));
      return {
        keys: [...others.map(({ kid, x }) => publicKey({ kty: "OKP", crv: "Ed25519", kid, x })), ...ours],
      };
    },
  } satisfies ReceiptKeys;
}

import {
  type Instant,
  instantOf,
  keyringDecider,
  keyringId,
  type PublicKey,
  platformTenantId,
  streamName,
} from "@carillon/domain";
import { commandContext, type EventLog, publicKey, type SigningKey, signingKeys } from "@carillon/platform";

/** The keys of receipts. Each stands in the event log before it signs: a receipt can be checked for ever. */
export interface ReceiptKeys {
  /**
   * The key that signs what was handed in at `moment`, now and for ever as long as it stays in the settings. A key signs nothing of
   * before it stood in the log. Throws `CarillonError` `unavailable` while the log cannot say that it knows it.
   */
  at(moment: Instant): Promise<SigningKey>;
  /** Every key that ever signed or is going to. While the log does not answer, those that are known. */
  published(): Promise<{ keys: ReturnType<typeof publicKey>[] }>;
  /** Resolves once the log knows all of our keys. Throws `CarillonError` `key_id_taken` or `unavailable`. */
  ready(): Promise<void>;
}

/** How long what the log answered is taken for the newest, in milliseconds: another worker may bring a key. */
const freshMs = 10_000;

/** Opens the keys that the settings name. */
export function openReceiptKeys(
  eventLog: Pick<EventLog, "execute" | "readStream">,
  own: readonly SigningKey[],
) {
  const known = new Map<string, PublicKey & { publishedAt: Instant }>();
  let loadedAt = 0;
  let publishing: Promise<void> | undefined;

  const learn = async () => {
    for await (const event of eventLog.readStream(streamName("keyring", platformTenantId, keyringId))) {
      if (event.type !== "ReceiptKeyPublished") continue;
      known.set(event.data.kid, { ...event.data, publishedAt: event.metadata.occurredAt });
    }
    loadedAt = Date.now();
  };

  /** Ours, each from when the log knew it at the earliest. */
  let keys = signingKeys(own);

  const publishAll = async () => {
    const at = instantOf(new Date());
    const [first, ...others] = own.map(({ kid, x = "" }) => ({
      command: { type: "PublishReceiptKey", key: { kid, x } } as const,
      context: commandContext(platformTenantId, "system:api", at),
    }));
    if (first) await eventLog.execute(keyringDecider, platformTenantId, keyringId, [first, ...others]);
    await learn();
    keys = signingKeys(
      own.map((key) => {
        const { publishedAt } = known.get(key.kid) ?? {};
        const isLater = publishedAt && (!key.signsFrom || key.signsFrom < publishedAt);
        return isLater ? { ...key, signsFrom: publishedAt } : key;
      }),
    );
  };

  /** Once for all callers that wait; again after a failure. */
  const ready = () => {
    publishing ??= publishAll().catch((error: unknown) => {
      publishing = undefined;
      throw error;
    });
    return publishing;
  };

  const refresh = async () => {
    if (Date.now() - loadedAt < freshMs) return;
    await learn();
  };

  return {
    ready,
    async at(moment) {
      await ready();
      return keys.current(new Date(moment));
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

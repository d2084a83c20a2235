import { z } from "zod";
import { accept, type Decider, refuse, sameFact } from "../decider.ts";
import { type EventOf, eventType } from "../event-type.ts";

/** A public Ed25519 key: its id and the point, base64url (RFC 8037). */
export const PublicKey = z.object({
  kid: z.string().min(1).max(128),
  x: z.base64url().length(43),
});
export type PublicKey = z.infer<typeof PublicKey>;

export const keyringEvents = {
  /** From now on this key signs receipts. It is never taken back: a receipt stays checkable for ever. */
  ReceiptKeyPublished: eventType(PublicKey),
};
export type KeyringEvent = EventOf<typeof keyringEvents>;

export type KeyringCommand = { type: "PublishReceiptKey"; key: PublicKey };

/** Every key that ever signed a receipt, the oldest first. */
export type KeyringState = readonly PublicKey[];

export const keyringDecider: Decider<KeyringCommand, KeyringEvent, KeyringState, "keyring"> = {
  category: "keyring",
  initial: [],
  decide({ key }, state) {
    const known = state.find(({ kid }) => kid === key.kid);
    if (!known) return accept({ type: "ReceiptKeyPublished", data: key });
    if (sameFact(known, key)) return accept();
    return refuse("key_id_taken", `Another key was published as "${key.kid}": give the new one its own id.`);
  },
  evolve: (state, event) => [...state, event.data],
};

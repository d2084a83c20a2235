import { type Bus, type Journal, openJournal } from "@carillon/platform";

/** Logins that were let in and are not in the event log yet. */
export type LoginJournal = Journal;

/** Some 600,000 logins. */
const maxBytes = 256 * 1024 * 1024;

/** Opens the queue `LOGINS`, which is made when it is first needed. */
export const openLoginJournal = (bus: Bus): LoginJournal =>
  openJournal(bus, {
    stream: "LOGINS",
    subject: "logins.accepted",
    consumer: "auth",
    what: "The login journal",
    maxBytes,
  });

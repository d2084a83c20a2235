/** Crockford's base 32: nothing in it is taken for something else when it is read out or written by hand. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** A password that is told to somebody once, `7k2m-x0cq-94hd`: 60 random bits. */
export function temporaryPassword(): string {
  const letters = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => alphabet[byte % 32]);
  return letters.join("").replace(/(.{4})(?=.)/g, "$1-");
}

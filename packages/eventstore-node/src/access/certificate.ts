import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join, resolve } from "node:path";

/** How the node gets its certificate: the PEM text that is given, or one that it makes and keeps in its folder. */
export type TlsOption = { readonly certificate: string; readonly key: string } | "generated";

/** What a TLS server needs, as PEM text. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** The file that clients trust; undefined when the certificate was given, since its owner knows its signer. */
  readonly caFile: string | undefined;
}

const LIFETIME_YEARS = 10;

/** The certificate for a node that clients reach as `host`; one that is made stays the same until it expires. */
export async function certificateFor(tls: TlsOption, dir: string, host: string): Promise<Certificate> {
  if (tls !== "generated") return { cert: tls.certificate, key: tls.key, caFile: undefined };
  const folder = resolve(dir, "tls");
  const caFile = join(folder, "ca.crt");
  const keyFile = join(folder, "node.key");
  if (!isUsable(caFile, host)) {
    const { cert, private: key } = await selfSigned(host);
    mkdirSync(folder, { recursive: true });
    writeFileSync(keyFile, key, { mode: 0o600 });
    writeFileSync(caFile, cert);
  }
  return { cert: readFileSync(caFile, "utf8"), key: readFileSync(keyFile, "utf8"), caFile };
}

function isUsable(file: string, host: string): boolean {
  if (!existsSync(file)) return false;
  const certificate = new X509Certificate(readFileSync(file));
  const names = isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host);
  return names !== undefined && certificate.validToDate.getTime() > Date.now();
}

/** A certificate that is its own authority, for `host` and the names of this machine to itself. */
async function selfSigned(host: string): Promise<{ cert: string; private: string }> {
  // Loaded when needed: it takes 11 MiB, and most nodes make no certificate.
  const { generate } = await import("selfsigned");
  const notAfterDate = new Date();
  notAfterDate.setFullYear(notAfterDate.getFullYear() + LIFETIME_YEARS);
  const names = [...new Set(["localhost", "127.0.0.1", "::1", host])];
  return generate([{ name: "commonName", value: "eventstore-node" }], {
    keyType: "ec",
    algorithm: "sha256",
    notAfterDate,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", digitalSignature: true, keyCertSign: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: names.map((name) => (isIP(name) ? { type: 7, ip: name } : { type: 2, value: name })),
      },
    ],
  });
}

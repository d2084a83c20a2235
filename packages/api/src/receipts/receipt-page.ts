import { createHash } from "node:crypto";
import type { Instant } from "@carillon/domain";
import type { Receipt } from "@carillon/platform";
import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";

/** A receipt as the page shows it. */
export interface ShownReceipt {
  readonly jws: string;
  readonly receipt: Receipt;
  /** The school's name and IANA time zone, where they are known. */
  readonly school: { readonly name: string; readonly timeZone: string } | undefined;
}

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

const style = `
:root { color-scheme: light; font: 16px/1.5 system-ui, sans-serif; color: #1c2330; background: #eef0f3 }
body { max-width: 46rem; margin: 2rem auto; padding: 2rem 2.5rem; background: #fff; border: 1px solid #d6dae1; border-radius: 6px }
h1 { font-size: 1.5rem; margin: 0 0 1rem }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem }
.verdict { padding: .75rem 1rem; border-left: 5px solid; border-radius: 3px; font-weight: 600 }
.valid { color: #10532f; background: #e5f5ec }
.invalid { color: #7c1717; background: #fdeaea }
table { width: 100%; border-collapse: collapse }
th, td { text-align: left; vertical-align: top; padding: .45rem 0; border-top: 1px solid #e3e6eb }
th { width: 11rem; font-weight: 600; padding-right: 1rem }
td, pre, code { overflow-wrap: anywhere }
code, pre { font: .85rem/1.45 ui-monospace, monospace }
pre { white-space: pre-wrap; word-break: break-all; margin: .5rem 0; padding: .75rem; background: #f5f6f8; border-radius: 3px }
small { color: #566072; display: block }
@media print { :root { background: #fff } body { margin: 0; padding: 0; border: 0; max-width: none } h2, pre, tr { break-inside: avoid } }
`;

/** What a page of this kind may do: show itself. */
export const pageHeaders = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": [
    "default-src 'none'",
    `style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** A receipt whose signature is valid, as a page to keep or to print. It names no person. */
export const receiptPage = ({ jws, receipt, school }: ShownReceipt): Html => {
  const moment = (at: Instant) => when(at, school?.timeZone);
  return page(
    "Receipt of a submission",
    html`
<p class="verdict valid">This receipt is genuine: its signature is valid.</p>
<table>
${school ? row("School", html`${school.name}`) : ""}
${row("Committed", html`${moment(receipt.committedAt)}<small>This is the time that decides whether it is late.</small>`)}
${row(
  "Content received",
  receipt.receivedAt
    ? moment(receipt.receivedAt)
    : html`It had not come when this receipt was made.<small>Ask for the receipt again once it has.</small>`,
)}
${row(
  "SHA-256 of the content",
  html`<code>${receipt.sha256}</code><small>Only the file that was handed in has this digest.</small>`,
)}
${row("Handed in under the key", html`<code>${receipt.key}</code>`)}
${row("Assignment", html`<code>${receipt.assignmentId}</code>`)}
${row("Student", html`<code>${receipt.studentId}</code>`)}
${row("Place in the log", html`<code>${receipt.stream}</code>, event ${receipt.revision}, position ${receipt.position}`)}
</table>
<h2>Check it without us</h2>
<p>Save the receipt below as <code>receipt.jws</code>, and <a href="/.well-known/receipts.json">the public keys</a> as
<code>receipts.json</code>. It is a JSON Web Signature (RFC 7515) with Ed25519: any library for them can check it, and so does</p>
<pre>carillon receipt verify receipt.jws --jwks receipts.json --content FILE</pre>
<p>The digest of a file is what <code>sha256sum FILE</code> says.</p>
<h2>The receipt</h2>
<pre>${jws}</pre>`,
  );
};

/** What is shown for a text that is no receipt of ours. */
export const noReceiptPage = (message: string): Html =>
  page("No receipt", html`<p class="verdict invalid">This is not a valid receipt.</p><p>${message}</p>`);

const page = (title: string, body: Html): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${raw(style)}</style>
</head>
<body>
<h1>${title}</h1>
${body}
</body>
</html>
`;

const row = (name: string, value: Html): Html => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`;

/** A moment in UTC to the millisecond, and by the school's clock. */
function when(at: Instant, timeZone: string | undefined): Html {
  const utc = html`${at.slice(0, 10)} ${at.slice(11, 23)} UTC`;
  if (timeZone === undefined) return utc;
  const local = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
  }).format(new Date(at));
  return html`${local}, ${timeZone}<small>${utc}</small>`;
}

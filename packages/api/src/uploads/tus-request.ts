import { CarillonError } from "@carillon/domain";
import type { HonoRequest } from "hono";

export const tusVersion = "1.0.0";
const contentType = "application/offset+octet-stream";
const methods = ["GET", "HEAD", "PATCH", "DELETE", "OPTIONS"] as const;
export type UploadMethod = (typeof methods)[number];

/** A request that tus 1.0 has a status of its own for. */
export class TusRefusal extends CarillonError {
  readonly status: number;
  constructor(status: number, message: string) {
    super("malformed", message);
    this.status = status;
  }
}

/**
 * What a request wants of an upload. Networks that let no `PATCH` pass may say it in `X-HTTP-Method-Override`. Throws
 * `TusRefusal` for what the protocol does not know or we do not speak; tus's own handlers give some of it other statuses than
 * the protocol asks for.
 */
export function uploadMethod(request: HonoRequest): UploadMethod {
  const wanted = request.header("x-http-method-override") ?? request.method;
  const method = methods.find((known) => known === wanted);
  if (!method) {
    throw new TusRefusal(
      405,
      `An upload takes no ${wanted}: submissions.commit has created it, send it by PATCH.`,
    );
  }
  if (method === "GET" || method === "OPTIONS") return method;
  if (request.header("tus-resumable") !== tusVersion) {
    throw new TusRefusal(412, `Uploads speak tus ${tusVersion}: say so in the header Tus-Resumable.`);
  }
  if (method === "PATCH" && request.header("content-type") !== contentType) {
    throw new TusRefusal(415, `Send content as ${contentType}.`);
  }
  return method;
}

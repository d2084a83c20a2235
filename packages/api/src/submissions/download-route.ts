import { authorize, CarillonError, SubmissionId, submissionDecider } from "@carillon/domain";
import type { ContentStore, EventLog } from "@carillon/platform";
import type { Procedures } from "../http/authenticated-procedures.ts";
import type { WorkerApp } from "../http/trpc-app.ts";
import { authorizeInClass } from "../school/class-access.ts";
import { MediaType } from "./file-input.ts";

interface ContentServices extends Pick<Procedures, "identify"> {
  readonly eventLog: EventLog;
  readonly objects: Pick<ContentStore, "open">;
}

/**
 * Serves `/submissions/:id/content` to the student whose it is and to those who teach or lead the class, with their
 * access token. It is a download, always: what somebody handed in must not run as a page of ours.
 */
export function contentRoute(app: WorkerApp, { identify, eventLog, objects }: ContentServices): void {
  app.get("/submissions/:id/content", async ({ req }) => {
    const { actor, tenantId } = await identify(req.header("authorization"));
    authorize(actor.roles, "submissions.content");
    const id = SubmissionId.safeParse(req.param("id"));
    const { state } = id.success
      ? await eventLog.load(submissionDecider, tenantId, id.data)
      : { state: undefined };
    if (!state) throw new CarillonError("submission_unknown", "There is no such submission at this school.");
    const { work, content } = state;
    if (work.studentId !== actor.sub) await authorizeInClass(eventLog, { actor, tenantId }, work.classId);
    if (!content)
      throw new CarillonError("content_missing", "Another system holds this content: ask for it there.");
    if (!state.received)
      throw new CarillonError("content_missing", "The content has not come yet: ask again later.");
    const stream = await objects.open(tenantId, content.sha256);
    if (!stream) throw new Error(`the content of submission ${req.param("id")} is not in the store`);
    return new Response(stream, {
      headers: {
        "content-type": MediaType.safeParse(content.mediaType).data ?? "application/octet-stream",
        "content-length": String(content.bytes),
        "content-disposition": asAttachment(content.name),
        "content-security-policy": "default-src 'none'; sandbox",
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-store",
        etag: `"${content.sha256}"`,
      },
    });
  });
}

/** A `Content-Disposition` (RFC 6266) that names the file: in ASCII for old clients, and as it is (RFC 8187). */
export function asAttachment(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%/]/g, "_");
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

import type { WorkerApp } from "../http/trpc-app.ts";
import { drain } from "./upload-body.ts";
import type { UploadProgress, Uploads } from "./uploads.ts";

/**
 * Serves `/uploads/:id`: `PUT` takes content, whole or in parts with `Content-Range`; `HEAD` and `GET` say how far it is. The
 * headers are those of the IETF's resumable uploads: `Upload-Offset` in bytes, `Upload-Complete` `?1` or `?0`. An
 * incomplete upload is answered with 202, a complete one with 200 and its receipt.
 */
export function uploadRoutes(app: WorkerApp, uploads: Uploads): void {
  app.get("/uploads/:id", async ({ req }) => {
    return answer(await uploads.progress(req.param("id")), 200);
  });
  app.put("/uploads/:id", async ({ req }) => {
    try {
      return answer(await uploads.take(req.param("id"), req.header("content-range"), req.raw.body), 202);
    } finally {
      await drain(req.raw.body);
    }
  });
}

function answer({ offset, bytes, received }: UploadProgress, whileIncomplete: 200 | 202): Response {
  return Response.json(received ?? { offset, bytes }, {
    status: received ? 200 : whileIncomplete,
    headers: {
      "upload-offset": String(offset),
      "upload-complete": received ? "?1" : "?0",
      "cache-control": "no-store",
    },
  });
}

import { CarillonError, maxUploadBytes } from "@carillon/domain";
import { Server } from "@tus/server";
import type { HonoRequest } from "hono";
import type { WorkerApp } from "../http/trpc-app.ts";
import { tusVersion, uploadMethod } from "./tus-request.ts";
import { headersOf, tusError, tusRefusal } from "./tus-response.ts";
import { discardUnread, uploadBody } from "./upload-body.ts";
import { UploadStore } from "./upload-store.ts";
import type { Uploads } from "./uploads.ts";

/** So many uploads one worker takes at once: each has up to a MiB in memory. */
const maxAtOnce = 256;
const busyMs = 2_000;

/**
 * Serves `/uploads/:id` by the protocol tus 1.0 with the extensions expiration and termination: `HEAD` says how far an upload
 * is, `PATCH` brings more of it, `DELETE` discards what has come, `OPTIONS` says what we can. A commit has created the upload,
 * so nothing is created here. The answer that says that all has come has the receipt in its headers; `GET` says it in JSON.
 * Errors are in the form of tRPC's.
 */
export function uploadRoutes(app: WorkerApp, uploads: Uploads): void {
  let sending = 0;
  const takeOne = async (request: HonoRequest, id: string): Promise<Response> => {
    if (sending >= maxAtOnce) {
      throw new CarillonError("busy", "Many are sending at this moment: go on in a few seconds.", {
        wait: { retryAfterMs: busyMs, place: null },
      });
    }
    sending++;
    try {
      return await speakTus(request, "PATCH", id, uploads);
    } finally {
      sending--;
    }
  };

  app.use("/uploads/:id", async (context, next) => {
    await next();
    if (context.error) {
      await discardUnread(context.req.raw.body);
      context.res = tusError(context.error);
    }
    context.header("tus-resumable", tusVersion);
  });
  app.all("/uploads/:id", async ({ req }) => {
    const id = req.param("id");
    const method = uploadMethod(req);
    if (method === "PATCH") return takeOne(req, id);
    if (method !== "GET") return speakTus(req, method, id, uploads);
    const progress = await uploads.progress(id);
    const { offset, bytes, received } = progress;
    return Response.json(received ?? { offset, bytes }, { headers: headersOf(progress, received) });
  });
}

/** Lets tus's handlers answer a request, and adds what they do not say: the receipt, and the kind of a failure. */
async function speakTus(
  { raw, url }: HonoRequest,
  method: string,
  id: string,
  uploads: Uploads,
): Promise<Response> {
  const body = uploadBody(raw.body);
  try {
    const store = new UploadStore(uploads, body);
    const sent = method === "PATCH" ? { body: body.content, duplex: "half" } : {};
    const answer = await tusServer(store).handleWeb(
      new Request(url, { method, headers: raw.headers, ...sent }),
    );
    if (answer.ok) {
      return new Response(null, {
        status: answer.status,
        headers: { ...headersOf(store.progress, store.received), ...tusHeaders(answer) },
      });
    }
    // Another request may have brought the same meanwhile.
    if (method === "PATCH" && (await store.receivedMeanwhile(id))) {
      return new Response(null, { status: 204, headers: headersOf(store.progress, store.received) });
    }
    const failure = store.failure ?? (await tusRefusal(answer, store.progress));
    if (failure instanceof CarillonError && failure.code === "content_too_large") await uploads.discard(id);
    throw failure;
  } finally {
    await body.finish();
  }
}

/**
 * A server for one request. It locks nothing, since the store of parts decides between two clients that send the same: tus's
 * own lock holds in one worker only, and a client that asks how far an upload is would interrupt the one that sends it.
 */
const tusServer = (store: UploadStore) =>
  new Server({
    path: "/uploads",
    datastore: store,
    maxSize: maxUploadBytes,
    locker: { newLock: () => ({ lock: async () => {}, unlock: async () => {} }) },
    async onUploadFinish(_, { id }) {
      await store.finish(id);
      return {};
    },
    onResponseError(_, error) {
      if (!("status_code" in error)) store.failure ??= error;
      return undefined;
    },
  });

/** What tus's handlers say, without what they say to pages of other origins: there are none. */
const tusHeaders = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => /^(tus|upload)-|^cache-control$/.test(name)));

import { createLogger, createMetrics, settingsOrExit } from "@carillon/platform";
import { gatewayApp } from "../gateway/gateway-app.ts";
import { worker } from "../http/worker.ts";
import { manifests } from "./manifests.ts";

/** The one address for clients. */

const { AUTH_URL, API_URL, REPORTS_URL } = settingsOrExit(...manifests.gateway.settings);

const backends = { auth: AUTH_URL, api: API_URL, reports: REPORTS_URL };
const metrics = createMetrics("gateway");
const app = gatewayApp(backends, metrics);

const ready = (url: string) =>
  fetch(new URL("/readyz", url)).then(async (answer) => {
    if (!answer.ok) throw new Error(await answer.text());
  });

export default worker({
  log: createLogger("gateway"),
  metrics,
  fetch: (request) => app.fetch(request),
  ready: () => Promise.all(Object.values(backends).map(ready)),
  close: async () => {},
});

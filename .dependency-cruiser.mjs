/** How a test file ends, what helps the tests of one package, and the package that helps all of them. */
const tests = "((\\.test|\\.test-d|/testing|/testing/[a-z-]+)\\.ts$|^packages/testkit/)";

/** The servers' clients: who may open a connection. */
const clients = "/node_modules/(@eventstore/db-client|nats|pg)/";

const pkg = (names) => `^packages/(${names})/`;

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "domain-is-pure",
      comment: "The domain imports zod, uuid and itself. No servers, no Node modules, nothing of ours.",
      severity: "error",
      from: { path: pkg("domain"), pathNot: tests },
      to: { pathNot: [pkg("domain"), "/node_modules/(zod|uuid)/"] },
    },
    {
      name: "domain-tests-are-pure",
      comment: "The domain's tests may use the test tools and read sample files besides.",
      severity: "error",
      from: { path: `${pkg("domain")}.*${tests}` },
      to: {
        pathNot: [pkg("domain"), "/node_modules/(zod|uuid|vitest|fast-check)/"],
        dependencyTypesNot: ["core"],
      },
    },
    {
      name: "platform-knows-the-domain-only",
      severity: "error",
      from: { path: pkg("platform"), pathNot: tests },
      to: { path: "^(packages|apps)/", pathNot: pkg("platform|domain") },
    },
    {
      name: "platform-tests",
      severity: "error",
      from: { path: `${pkg("platform")}.*${tests}` },
      to: { path: "^(packages|apps)/", pathNot: pkg("platform|domain|testkit") },
    },
    {
      name: "packages-of-one-floor-do-not-know-one-another",
      comment:
        "api, projections, processing and media build on domain and platform; they meet through events.",
      severity: "error",
      from: { path: pkg("api|projections|processing|media"), pathNot: tests },
      to: { path: "^(packages|apps)/", pathNot: ["^packages/$1/", pkg("domain|platform")] },
    },
    {
      name: "tests-of-one-floor",
      comment: "A package's tests may run the others beside it: real parts.",
      severity: "error",
      from: { path: `${pkg("api|projections|processing|media")}.*${tests}` },
      to: { path: "^apps/" },
    },
    {
      name: "eventstore-node-stands-alone",
      comment: "It knows nothing of schools: it could be a repository of its own.",
      severity: "error",
      from: { path: pkg("eventstore-node") },
      to: { path: "^(packages|apps)/", pathNot: pkg("eventstore-node") },
    },
    {
      name: "client-runs-in-a-browser",
      comment:
        "It knows the API by its type alone, shares limits with it, and has the clients of tRPC and tus. No servers, no Node modules.",
      severity: "error",
      from: { path: pkg("client"), pathNot: tests },
      to: {
        pathNot: [
          pkg("client"),
          "^packages/api/src/index.ts$",
          "^packages/domain/src/limits.ts$",
          "/node_modules/(@trpc/(client|server)|tus-js-client)/",
        ],
      },
    },
    {
      name: "client-takes-types-of-the-api",
      severity: "error",
      from: { path: pkg("client"), pathNot: tests },
      to: { path: pkg("api"), dependencyTypesNot: ["type-only"] },
    },
    {
      name: "client-tests",
      comment: "They run real workers.",
      severity: "error",
      from: { path: `${pkg("client")}.*${tests}` },
      to: { path: "^(packages|apps)/", pathNot: pkg("client|api|testkit") },
    },
    {
      name: "launcher-starts-what-manifests-say",
      comment: "It knows how processes are started, and of the workers their manifests and nothing else.",
      severity: "error",
      from: { path: pkg("launcher"), pathNot: tests },
      to: {
        path: "^(packages|apps)/",
        pathNot: [
          pkg("launcher|platform"),
          "^packages/(api|projections|processing)/src/workers/manifests.ts$",
          "^packages/eventstore-node/src/main.ts$",
        ],
      },
    },
    {
      name: "workers-do-not-know-who-starts-them",
      severity: "error",
      from: { path: "^packages/", pathNot: [pkg("launcher"), tests] },
      to: { path: pkg("launcher") },
    },
    {
      name: "manifests-are-data",
      comment: "A worker's manifest is read without loading the worker.",
      severity: "error",
      from: { path: "/workers/manifests.ts$" },
      to: { pathNot: pkg("platform"), dependencyTypesNot: ["core"] },
    },
    {
      name: "only-tests-use-the-testkit",
      severity: "error",
      from: { path: "^(packages|apps|bench)/", pathNot: tests },
      to: { path: pkg("testkit") },
    },
    {
      name: "testkit-knows-no-apps",
      comment: "It starts the command line as an operator does: as a process.",
      severity: "error",
      from: { path: pkg("testkit") },
      to: { path: "^(apps|bench)/" },
    },
    {
      name: "nobody-behind-the-gateway-is-a-client",
      severity: "error",
      from: { path: "^packages/", pathNot: pkg("client") },
      to: { path: pkg("client") },
    },
    {
      name: "bench-starts-the-platform-as-the-command-does",
      comment: "That, and how the real dataset becomes a school, is all it takes from the apps.",
      severity: "error",
      from: { path: "^bench/" },
      to: { path: "^apps/", pathNot: "^apps/cli/src/(up/start-platform.ts$|oulad/)" },
    },
    {
      name: "nothing-imports-apps",
      severity: "error",
      from: { path: "^packages/" },
      to: { path: "^apps/" },
    },
    {
      name: "nothing-imports-bench",
      comment: "The storms drive every package from outside, with the official clients.",
      severity: "error",
      from: { path: "^(packages|apps)/" },
      to: { path: "^bench/" },
    },
    {
      name: "apps-do-not-know-one-another",
      severity: "error",
      from: { path: "^apps/([^/]+)/", pathNot: tests },
      to: { path: "^apps/", pathNot: "^apps/$1/" },
    },
    {
      name: "only-platform-opens-connections",
      severity: "error",
      from: {
        path: "^(packages|apps)/",
        pathNot: [pkg("platform|eventstore-node"), `^apps/.*${tests}`, pkg("testkit")],
      },
      to: { path: clients },
    },
    {
      name: "eventstore-node-speaks-its-own-protocol-only",
      severity: "error",
      from: { path: pkg("eventstore-node") },
      to: { path: clients, pathNot: "/node_modules/@eventstore/db-client/" },
    },
    {
      name: "features-keep-their-insides",
      comment: "One feature of the API uses another by the files that are meant for it, listed here.",
      severity: "error",
      from: {
        path: "^packages/api/src/(login|school|submissions|uploads|receipts|reports|gateway)/",
        pathNot: tests,
      },
      to: {
        path: "^packages/api/src/(login|school|submissions|uploads|receipts|reports|gateway)/",
        pathNot: [
          "^packages/api/src/$1/",
          "^packages/api/src/login/passwords/(input|strength).ts$",
          "^packages/api/src/school/class-access.ts$",
          "^packages/api/src/uploads/upload-addresses.ts$",
          "^packages/api/src/receipts/(receipt-keys|receipt-of-stream|submission-receipt).ts$",
        ],
      },
    },
    {
      name: "what-features-share-knows-none",
      comment: "http and load serve every feature of the API; only its workers know all of them.",
      severity: "error",
      from: { path: "^packages/api/src/(http|load)/", pathNot: tests },
      to: { path: "^packages/api/src/(login|school|submissions|uploads|receipts|reports|gateway|workers)/" },
    },
    {
      name: "nothing-imports-a-worker",
      comment: "A worker's module runs when it is loaded. Its manifest says all that others need.",
      severity: "error",
      from: { path: "^packages/", pathNot: "/src/workers/" },
      to: {
        path: "/src/workers/",
        pathNot:
          "/(manifests|api-tree|auth-tree|reports-tree|platform-workers|command-line|test-worker|workers)\\.ts$",
      },
    },
    {
      name: "features-of-the-domain-build-on-the-school",
      comment:
        "Login, submissions, receipts and reports do not know one another; the school knows none of them.",
      severity: "error",
      from: { path: "^packages/domain/src/(login|school|submissions|receipts|reports)/", pathNot: tests },
      to: {
        path: "^packages/domain/src/(login|school|submissions|receipts|reports)/",
        pathNot: ["^packages/domain/src/$1/", "^packages/domain/src/school/"],
      },
    },
    {
      name: "read-models-do-not-know-one-another",
      severity: "error",
      from: { path: "^packages/projections/src/read-models/([^/]+)/", pathNot: tests },
      to: {
        path: "^packages/projections/src/read-models/[^/]+/",
        pathNot: "^packages/projections/src/read-models/$1/",
      },
    },
    {
      name: "rows-know-no-read-model",
      comment: "A table of rows and its schema are what read models are made of.",
      severity: "error",
      from: { path: "^packages/projections/src/(rows|schema)/", pathNot: tests },
      to: { path: "^packages/projections/src/", pathNot: "^packages/projections/src/(rows|schema)/" },
    },
    {
      name: "the-queue-knows-no-handler",
      severity: "error",
      from: { path: "^packages/processing/src/queue/", pathNot: tests },
      to: { path: "^packages/processing/src/", pathNot: "^packages/processing/src/queue/" },
    },
    {
      name: "adapters-build-on-their-server",
      comment:
        "What talks to NATS in general knows nothing of buses, queues and content that are built on it.",
      severity: "error",
      from: { path: "^packages/platform/src/(nats|timing|cache|tokens|event-log)/", pathNot: tests },
      to: { path: "^packages/platform/src/(content|event-bus|work-queue|postgres|worker)/" },
    },
    {
      name: "storage-does-not-import-wire",
      comment: "The event store's log can be held without a protocol: the wire translates what it throws.",
      severity: "error",
      from: { path: "^packages/eventstore-node/src/storage/", pathNot: tests },
      to: { path: "^packages/eventstore-node/src/(wire|streams|persistent|projections|access|node)/" },
    },
    { name: "no-circles", severity: "error", from: {}, to: { circular: true } },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "declared-in-package-json",
      comment: "An import that works by accident of hoisting breaks on the next machine.",
      severity: "error",
      from: {},
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "no-development-tools-at-run-time",
      severity: "error",
      from: { path: "^(packages|apps|bench)/", pathNot: [tests, "/test/"] },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only", "npm"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    // A type import is an arrow too.
    tsPreCompilationDeps: true,
    // The root package.json holds the tools (vitest, fast-check) that every package's tests use.
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["types", "import", "node", "default"],
      mainFields: ["types", "module", "main"],
      extensions: [".ts", ".tsx", ".mjs", ".js", ".d.ts", ".json"],
    },
  },
};

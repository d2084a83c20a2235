/** How a test file ends, what helps the tests of one package, and the package that helps all of them. */
const tests = "((\\.test|\\.test-d|/testing|/testing/[a-z-]+)\\.ts$|^packages/testkit/)";

/** The servers' clients: who may open a connection. */
const clients = "/node_modules/(@eventstore/db-client|nats|pg)/";

const room = (names) => `^packages/(${names})/`;

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "domain-is-pure",
      comment: "The domain imports zod, uuid and itself. No servers, no Node modules, nothing of ours.",
      severity: "error",
      from: { path: room("domain"), pathNot: tests },
      to: { pathNot: [room("domain"), "/node_modules/(zod|uuid)/"] },
    },
    {
      name: "domain-tests-are-pure",
      comment: "The domain's tests may use the test tools and read sample files besides.",
      severity: "error",
      from: { path: `${room("domain")}.*${tests}` },
      to: {
        pathNot: [room("domain"), "/node_modules/(zod|uuid|vitest|fast-check)/"],
        dependencyTypesNot: ["core"],
      },
    },
    {
      name: "platform-knows-the-domain-only",
      severity: "error",
      from: { path: room("platform"), pathNot: tests },
      to: { path: "^(packages|apps)/", pathNot: room("platform|domain") },
    },
    {
      name: "platform-tests",
      severity: "error",
      from: { path: `${room("platform")}.*${tests}` },
      to: { path: "^(packages|apps)/", pathNot: room("platform|domain|testkit") },
    },
    {
      name: "rooms-do-not-know-one-another",
      comment:
        "api, projections, processing and media build on domain and platform; they meet through events.",
      severity: "error",
      from: { path: room("api|projections|processing|media"), pathNot: tests },
      to: { path: "^(packages|apps)/", pathNot: ["^packages/$1/", room("domain|platform")] },
    },
    {
      name: "room-tests",
      comment: "A room's tests may run the other rooms beside it: real parts.",
      severity: "error",
      from: { path: `${room("api|projections|processing|media")}.*${tests}` },
      to: { path: "^apps/" },
    },
    {
      name: "eventstore-node-stands-alone",
      comment: "It knows nothing of schools: it could be a repository of its own.",
      severity: "error",
      from: { path: room("eventstore-node") },
      to: { path: "^(packages|apps)/", pathNot: room("eventstore-node") },
    },
    {
      name: "client-runs-in-a-browser",
      comment:
        "It knows the API by its type alone, shares limits with it, and has the clients of tRPC and tus. No servers, no Node modules.",
      severity: "error",
      from: { path: room("client"), pathNot: tests },
      to: {
        pathNot: [
          room("client"),
          "^packages/api/src/index.ts$",
          "^packages/domain/src/limits.ts$",
          "/node_modules/(@trpc/(client|server)|tus-js-client)/",
        ],
      },
    },
    {
      name: "client-takes-types-of-the-api",
      severity: "error",
      from: { path: room("client"), pathNot: tests },
      to: { path: room("api"), dependencyTypesNot: ["type-only"] },
    },
    {
      name: "client-tests",
      comment: "They run real workers.",
      severity: "error",
      from: { path: `${room("client")}.*${tests}` },
      to: { path: "^(packages|apps)/", pathNot: room("client|api|testkit") },
    },
    {
      name: "launcher-starts-what-manifests-say",
      comment: "It knows how processes are started, and of the workers their manifests and nothing else.",
      severity: "error",
      from: { path: room("launcher"), pathNot: tests },
      to: {
        path: "^(packages|apps)/",
        pathNot: [
          room("launcher|platform"),
          "^packages/(api|projections|processing)/src/workers/manifests.ts$",
          "^packages/eventstore-node/src/main.ts$",
        ],
      },
    },
    {
      name: "workers-do-not-know-who-starts-them",
      severity: "error",
      from: { path: "^packages/", pathNot: [room("launcher"), tests] },
      to: { path: room("launcher") },
    },
    {
      name: "manifests-are-data",
      comment: "A worker's manifest is read without loading the worker.",
      severity: "error",
      from: { path: "/workers/manifests.ts$" },
      to: { pathNot: room("platform"), dependencyTypesNot: ["core"] },
    },
    {
      name: "only-tests-use-the-testkit",
      severity: "error",
      from: { path: "^(packages|apps|bench)/", pathNot: tests },
      to: { path: room("testkit") },
    },
    {
      name: "testkit-knows-no-apps",
      comment: "It starts the command line as an operator does: as a process.",
      severity: "error",
      from: { path: room("testkit") },
      to: { path: "^(apps|bench)/" },
    },
    {
      name: "nobody-behind-the-gateway-is-a-client",
      severity: "error",
      from: { path: "^packages/", pathNot: room("client") },
      to: { path: room("client") },
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
      comment: "The storms drive every room from outside, with the official clients.",
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
        pathNot: [room("platform|eventstore-node"), `^apps/.*${tests}`, room("testkit")],
      },
      to: { path: clients },
    },
    {
      name: "eventstore-node-speaks-its-own-protocol-only",
      severity: "error",
      from: { path: room("eventstore-node") },
      to: { path: clients, pathNot: "/node_modules/@eventstore/db-client/" },
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
    // The root package.json holds the tools (vitest, fast-check) that every room's tests use.
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["types", "import", "node", "default"],
      mainFields: ["types", "module", "main"],
      extensions: [".ts", ".tsx", ".mjs", ".js", ".d.ts", ".json"],
    },
  },
};

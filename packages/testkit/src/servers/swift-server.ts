import { execFile } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { AwsV4Signer } from "aws4fetch";
import { until } from "../until.ts";
import { freePort } from "./free-port.ts";
import { startTestProcess } from "./test-process.ts";

/** A bucket on a real server that speaks S3. */
export interface TestS3 {
  /** As `OBJECTS_URL` wants it. */
  readonly url: string;
  stop(): Promise<void>;
}

const python = "/usr/bin/python3";
const kinds = ["account", "container", "object"] as const;
const login = { accessKeyId: "test:tester", secretAccessKey: "testing" };

const makeRings = `
import sys
from swift.common.ring import RingBuilder
folder, *ports = sys.argv[1:]
for name, port in zip(("account", "container", "object"), ports):
    ring = RingBuilder(4, 1, 1)
    ring.add_dev(dict(id=0, region=1, zone=1, weight=1, ip="127.0.0.1", port=int(port), device="disk"))
    ring.rebalance()
    ring.get_ring().save(f"{folder}/{name}.ring.gz")
`;

/**
 * Whether OpenStack Swift is installed, which speaks S3. On Debian: swift-proxy, swift-account, swift-container and
 * swift-object.
 */
export const hasSwift = (): Promise<boolean> =>
  Promise.all([
    ...["proxy", ...kinds].map((kind) => access(`/usr/bin/swift-${kind}-server`)),
    readFile("/etc/swift/swift.conf"),
  ]).then(
    () => true,
    () => false,
  );

/** Starts Swift on free ports, objects in memory, with an empty bucket. */
export async function startSwift(): Promise<TestS3> {
  const dir = await mkdtemp(join(tmpdir(), "carillon-test-swift-"));
  await mkdir(join(dir, "disk"));
  const ports = [await freePort(), await freePort(), await freePort()];
  await promisify(execFile)(python, ["-c", makeRings, dir, ...ports.map(String)]);
  const start = async (kind: string, port: number, sections: string) => {
    const file = join(dir, `${kind}.conf`);
    await writeFile(file, `${common(dir, port)}${sections}`);
    const server = await startTestProcess({
      name: `swift-${kind}`,
      command: `swift-${kind}-server`,
      args: [file],
      env: { PATH: "/usr/bin:/bin" },
      // It prints nothing then, and has no address that answers 200.
      readiness: { kind: "line", pattern: /(?!)/ },
    });
    await until(`Swift's ${kind} server answers: ${server.output()}`, () => accepts(port));
    return server;
  };
  const proxyPort = await freePort();
  const servers = await Promise.all([
    ...kinds.map((kind, index) => start(kind, ports[index] as number, storageSections(kind))),
    start("proxy", proxyPort, proxySections),
  ]);
  await makeBucket(`http://127.0.0.1:${proxyPort}/content`);
  return {
    url: `s3+http://${encodeURIComponent(login.accessKeyId)}:${login.secretAccessKey}@127.0.0.1:${proxyPort}/content`,
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } finally {
    socket.destroy();
  }
}

async function makeBucket(url: string): Promise<void> {
  const request = { method: "PUT", url, service: "s3", region: "us-east-1", ...login };
  const { headers } = await new AwsV4Signer(request).sign();
  const answer = await fetch(url, { method: "PUT", headers });
  if (!answer.ok) throw new Error(`Swift makes no bucket: ${answer.status} ${await answer.text()}`);
}

const common = (dir: string, port: number) => `
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = ${process.env.USER ?? "root"}
swift_dir = ${dir}
devices = ${dir}
mount_check = false
log_address = ${dir}/no-log
`;

const storageSections = (kind: (typeof kinds)[number]) => `
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind === "object" ? "mem_object" : kind}
`;

const filters = ["catch_errors", "cache", "bulk", "s3api", "tempauth", "slo", "copy"];
const eggs: Record<string, string> = { cache: "memcache" };
const options: Record<string, string> = {
  tempauth: "user_test_tester = testing .admin",
  // A test that is a day ahead signs with its own time.
  s3api: "allowable_clock_skew = 200000",
};

const proxySections = `
[pipeline:main]
pipeline = ${filters.join(" ")} proxy-server
${filters.map((name) => `[filter:${name}]\nuse = egg:swift#${eggs[name] ?? name}\n${options[name] ?? ""}`).join("\n")}
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
`;

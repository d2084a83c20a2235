import { createServer } from "node:http";
import process from "node:process";
import { pathToFileURL } from "node:url";

// Serves a worker module's GET requests on Node: node serve-node.ts <module> <port>
const [module, port] = process.argv.slice(2);
if (!module || !port) throw new Error("give a module and a port");
const { default: worker } = await import(pathToFileURL(module).href);
createServer(async ({ url }, response) => {
  const answer: Response = await worker.fetch(new Request(new URL(url ?? "/", "http://worker")));
  response.writeHead(answer.status).end(await answer.text());
}).listen(Number(port), "127.0.0.1");

import process from "node:process";
import { startNode } from "@carillon/eventstore-node";

const [dir, port] = process.argv.slice(2);
if (!dir || !port) throw new Error("give a folder and a port");
const node = await startNode({ dir, port: Number(port) });
process.on("SIGINT", () => {
  node.stop().then(() => process.exit(0));
});

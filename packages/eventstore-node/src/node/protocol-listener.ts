import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Certificate } from "../access/certificate.ts";

/** What serves the connections of each protocol. */
export interface ProtocolHandlers {
  /** Takes over a connection that speaks HTTP/2. */
  readonly grpc: (connection: Socket) => void;
  /** Answers requests that come in HTTP/1.1. */
  readonly http: RequestListener;
}

/** The one port of a node, open for clients of both protocols. */
export interface ProtocolListener {
  readonly port: number;
  /** Takes no more connections and ends those of HTTP/1.1; those of HTTP/2 belong to their handler. */
  close(): void;
}

/** How an HTTP/2 connection without TLS begins; no HTTP/1.1 method does. https://www.rfc-editor.org/rfc/rfc9113#section-3.4 */
const HTTP2_PREFACE = Buffer.from("PRI");

/** How long a new connection may keep silent. */
const SILENCE_LIMIT_MS = 10_000;

/**
 * Listens on `host` and `port` (0: any free one), with TLS when there is a certificate. The protocol is what a TLS
 * client negotiates (ALPN), or what the first bytes say.
 * @throws when the port is taken.
 */
export async function openProtocolListener(
  { host, port, certificate }: { host: string; port: number; certificate: Certificate | undefined },
  handlers: ProtocolHandlers,
): Promise<ProtocolListener> {
  const http = createHttpServer(handlers.http);
  const undecided = new Set<Socket>();
  const handOver = (socket: Socket, speaksHttp2: boolean) => {
    if (speaksHttp2) {
      handlers.grpc(socket);
      return;
    }
    http.emit("connection", socket);
    socket.resume();
  };
  const server =
    certificate === undefined
      ? createServer({ noDelay: true }, (socket) => listenTo(socket, undecided, handOver))
      : createTlsServer(
          { cert: certificate.cert, key: certificate.key, noDelay: true, ALPNProtocols: ["h2", "http/1.1"] },
          (socket) => handOver(socket, socket.alpnProtocol === "h2"),
        );
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      for (const socket of undecided) socket.destroy();
      http.closeAllConnections();
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen({ host, port });
  await once(server, "listening");
  server.on("error", () => {}); // A connection that could not be accepted is its client's to try again.
}

/** Finds out from its first bytes what a connection speaks, and gives them back to be read again. */
function listenTo(
  socket: Socket,
  undecided: Set<Socket>,
  handOver: (socket: Socket, speaksHttp2: boolean) => void,
): void {
  let heard = Buffer.alloc(0);
  const leave = () => socket.destroy();
  const hear = (bytes: Buffer) => {
    heard = Buffer.concat([heard, bytes]);
    if (heard.length < HTTP2_PREFACE.length) return;
    undecided.delete(socket);
    socket.off("data", hear).off("error", leave).off("timeout", leave);
    socket.setTimeout(0);
    socket.pause();
    socket.unshift(heard);
    handOver(socket, heard.subarray(0, HTTP2_PREFACE.length).equals(HTTP2_PREFACE));
  };
  undecided.add(socket);
  socket.once("close", () => undecided.delete(socket));
  socket.setTimeout(SILENCE_LIMIT_MS);
  socket.on("data", hear).on("error", leave).on("timeout", leave);
}

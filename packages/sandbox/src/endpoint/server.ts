import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { Connection, type ConnectionParts } from './connection.ts';

/** The path clients connect to on the real network. */
const PATH = '/ws/chat';

export interface NetworkServer {
  /** `ws://127.0.0.1:PORT/ws/chat` */
  readonly url: string;
  /** Cuts every connection and stops listening. */
  stop(): Promise<void>;
}

/** Listens on loopback for clients; port 0 takes a free one. Rejects when the port is taken. */
export async function startNetworkServer(
  parts: ConnectionParts,
  options: { port?: number } = {},
): Promise<NetworkServer> {
  const http = createServer((_request, response) => {
    response.writeHead(426, { 'content-type': 'text/plain' });
    response.end('This address speaks the WhatsApp protocol over WebSocket.\n');
  });
  const sockets = new WebSocketServer({ server: http, path: PATH, perMessageDeflate: false });
  sockets.on('connection', (socket) => new Connection(socket, parts));
  http.listen(options.port ?? 0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}${PATH}`,
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      http.closeAllConnections();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}

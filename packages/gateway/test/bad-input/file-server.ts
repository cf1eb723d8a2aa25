import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server on 127.0.0.1 that answers as the test says, and knows what it was asked. */
export class FileServer {
  readonly #server: Server;
  readonly url: string;
  readonly asked: string[];

  private constructor(server: Server, url: string, asked: string[]) {
    this.#server = server;
    this.url = url;
    this.asked = asked;
  }

  /** `handlers` by path; any other path is 404. */
  static async start(handlers: Record<string, Handler>): Promise<FileServer> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const handler = handlers[request.url ?? ''];
      if (handler) handler(request, response);
      else response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>no such file</h1>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return new FileServer(server, `http://127.0.0.1:${port}`, asked);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

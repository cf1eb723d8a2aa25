/** What `proxies.ts` uses of two packages that bring no types. */

declare module '@heroku/socksv5' {
  import type { Server as NetServer, Socket } from 'node:net';

  interface Authentication {
    METHOD: number;
    server(stream: Socket, done: (result: boolean) => void): void;
  }

  interface Server {
    useAuth(authentication: Authentication): this;
    /** The server underneath. */
    readonly _srv: NetServer;
  }

  const socksv5: {
    createServer(
      listener: (
        request: { dstAddr: string; dstPort: number },
        accept: (intercept: boolean) => Socket | undefined,
        deny: () => void,
      ) => void,
    ): Server;
    auth: {
      UserPassword(
        check: (user: string, password: string, known: (right: boolean) => void) => void,
      ): Authentication;
    };
  };
  export default socksv5;
}

declare module 'socks4' {
  import type { Server as NetServer, Socket } from 'node:net';

  interface Request {
    host: string;
    port: number;
    socket: Socket;
  }

  interface Server extends NetServer {
    on(event: 'connect', listener: (request: Request) => void): this;
    on(event: string, listener: (...told: never[]) => void): this;
    proxyRequest(request: Request): void;
  }

  const socks4: { createServer(): Server };
  export default socks4;
}

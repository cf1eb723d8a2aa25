/** What stands before a gateway on the internet: TLS, a name, and a path of its own. */
import { request as forward, type IncomingMessage, type ServerResponse } from 'node:http';

export const GATEWAY_NAME = 'gateway.example';
export const PUBLIC_URL = `https://${GATEWAY_NAME}/wuts`;
const PREFIX = '/wuts/';

/** Hands requests below PUBLIC_URL on to the gateway at `url()`; false for all others. */
export function tlsProxy(url: () => string) {
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    if (request.headers.host !== GATEWAY_NAME || !request.url?.startsWith(PREFIX)) return false;
    const { method, headers } = request;
    const to = new URL(request.url.slice(PREFIX.length - 1), url());
    const onward = forward(to, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
    return true;
  };
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { issueCdnCertificate } from '../../../sandbox/src/cdn/certificate.ts';

/** An HTTPS media host that does as the test says. */
export async function oddHost(handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const certificate = await issueCdnCertificate();
  const asked: string[] = [];
  let answer = handle;
  const server = createServer(
    { cert: certificate.certificatePem, key: certificate.privateKeyPem },
    (request, response) => {
      asked.push(`${request.method} ${request.url}`);
      answer(request, response);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    caPem: certificate.caPem,
    hostname: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Method and path of every request. */
    asked,
    setHandler(next: typeof handle) {
      answer = next;
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A webhook receiver that answers 204 and counts. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerCalls } from './calls.ts';
import { Tally } from './tally.ts';

const tally = new Tally();
const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    response.writeHead(204).end();
    const { data } = JSON.parse(Buffer.concat(parts).toString('utf8')) as { data: { content?: unknown } };
    if (typeof data.content === 'string') tally.add(data.content);
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

answerCalls({
  url: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
  until: (what: { stream: string; count: number }) => tally.until(what),
});

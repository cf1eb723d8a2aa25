/** Runs in the thread of an `OutsideServer`. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const answered = workerData as Int32Array;
const server = createServer((request, response) => {
  request.resume();
  response.on('finish', () => {
    Atomics.store(answered, 0, 1);
    Atomics.notify(answered, 0);
  });
  parentPort?.once('message', () => response.end('hello'));
  parentPort?.postMessage('asked');
});
server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));

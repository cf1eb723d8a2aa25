/** What programs ask the API to send: now, at a time, in bulk; texts and files. */
import { rfc3339 } from '../../src/clock.ts';
import type { LinkedDevice } from './api-traffic.ts';
import type { Chance } from './chance.ts';
import { API_TEXT } from './network-protocol.ts';

/** One message of a request. */
export interface WantedMessage {
  /** The number or group it goes to. */
  to: string;
  /** Numbers of those who get it. */
  readers: string[];
  text: string;
}

export interface SendRequest {
  kind: keyof typeof KINDS;
  path: string;
  body: object;
  messages: WantedMessage[];
}

const KINDS = {
  text: 52,
  document: 10,
  /** With `send_at`, some seconds ahead. */
  scheduled: 14,
  /** The same with a file that waits on the disk. */
  'scheduled file': 12,
  bulk: 6,
  /** Several messages with one file, which waits on the disk once. */
  'bulk of a file': 6,
} as const;
const LATEST_S = 6;
const BULK = { least: 2, most: 4 };
/** Smaller ones of one message stay in the database: `sending/jobs/kept-files.ts`. */
const KEPT_BYTES = { least: 52_000, most: 70_000 };

/** `number`: of the first message, so that each has a text of its own. */
export function requestOf(device: LinkedDevice, number: number, chance: Chance): SendRequest {
  const kind = chance.weighted(KINDS);
  const wanted = (place: number): WantedMessage => {
    const { account, contacts, group } = device;
    const to = chance.hits(0.2) ? group : chance.pick(contacts);
    const text = `${API_TEXT}${number + place} from ${account} to ${to}`;
    return { to, readers: to === group ? contacts : [to], text };
  };
  const first = wanted(0);
  const one = { kind, messages: [first] };
  switch (kind) {
    case 'text':
      return { ...one, path: '/send/text', body: textBody(first) };
    case 'document':
      return { ...one, path: '/send/document', body: documentBody(first, bytes(chance, 500, 8000)) };
    case 'scheduled':
      return { ...one, path: '/send/text', body: { ...textBody(first), ...sendAt(chance) } };
    case 'scheduled file': {
      const body = documentBody(first, bytes(chance, KEPT_BYTES.least, KEPT_BYTES.most));
      return { ...one, path: '/send/document', body: { ...body, ...sendAt(chance) } };
    }
    case 'bulk':
    case 'bulk of a file': {
      const count = chance.integer(BULK.least, BULK.most);
      const messages = [first, ...Array.from({ length: count - 1 }, (_, at) => wanted(at + 1))];
      const file = kind === 'bulk' ? null : bytes(chance, 5000, KEPT_BYTES.most);
      const items = messages.map((each) =>
        file ? { type: 'document', ...documentBody(each, file) } : { type: 'text', ...textBody(each) },
      );
      const pauses = { min_pause_seconds: 0, max_pause_seconds: 1 };
      return { kind, path: '/bulk', body: { messages: items, ...pauses }, messages };
    }
  }
}

function textBody({ to, text }: WantedMessage) {
  return { ...recipient(to), text };
}

function documentBody({ to, text }: WantedMessage, file: Buffer) {
  const document = `data:application/octet-stream;base64,${file.toString('base64')}`;
  return { ...recipient(to), document, file_name: 'file.bin', caption: text };
}

function recipient(to: string) {
  return to.includes('@') ? { to } : { number: to };
}

function sendAt(chance: Chance) {
  return { send_at: rfc3339(Date.now() + chance.integer(0, LATEST_S) * 1000) };
}

function bytes(chance: Chance, least: number, most: number): Buffer {
  return chance.bytes(chance.integer(least, most));
}

/** The type under which a document arrives, by each of the four ways in which a file can be given. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FileServer } from '../../bad-input/file-server.ts';
import type { Answer, Api, World } from '../harness.ts';
import { pdf } from '../samples.ts';
import { openShop } from '../shop.ts';

let world: World;
let api: Api;
let token: string;
let contact: Phone;

beforeAll(async () => {
  ({ world, api, token, contact } = await openShop({
    tenant: 'papers',
    settings: { WUTS_ALLOW_NETWORKS: '127.0.0.0/8', WUTS_PACE_PER_MINUTE: '0' },
  }));
});
afterAll(() => world.destroy());

interface File {
  bytes: Buffer;
  /** What its server or client says. */
  type: string;
  name: string;
  /** `mime_type` of the request. */
  said?: string | undefined;
}

const json = ({ name, said }: File, more: object): Promise<Answer> =>
  api.post('/send/document', { to: contact.number, file_name: name, mime_type: said, ...more });

const WAYS: Record<string, (file: File) => Promise<Answer>> = {
  base64: (file) => json(file, { document: file.bytes.toString('base64') }),
  'a data URI': (file) =>
    json(file, { document: `data:${file.type};base64,${file.bytes.toString('base64')}` }),
  'a URL': async (file) => {
    const server = await FileServer.start({
      '/file': (_, response) => response.setHeader('content-type', file.type).end(file.bytes),
    });
    return json(file, { document_url: `${server.url}/file` }).finally(() => server.stop());
  },
  multipart: async ({ bytes, type, name, said }) => {
    const form = new FormData();
    form.set('to', contact.number);
    if (said) form.set('mime_type', said);
    form.set('document', new Blob([Uint8Array.from(bytes)], { type }), name);
    const headers = { authorization: `Bearer ${token}` };
    const sent = await fetch(`${world.gateway.url}/send/document`, { method: 'POST', headers, body: form });
    const answer = Buffer.from(await sent.arrayBuffer());
    return { status: sent.status, headers: sent.headers, body: JSON.parse(answer.toString()), bytes: answer };
  },
};

async function typeOf(way: string, file: File): Promise<string> {
  const answer = await WAYS[way]?.(file);
  expect(answer?.status, answer?.bytes.toString()).toBe(200);
  const { message } = await contact.waitForMessage(({ id }) => id === answer?.body.message_id);
  expect(message.documentMessage?.fileName).toBe(file.name);
  return message.documentMessage?.mimetype ?? '';
}

const ZIP = Buffer.from('504b0506'.padEnd(44, '0'), 'hex');
const OLE = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)]);
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

describe.each(Object.keys(WAYS))('by %s', (way) => {
  test.each<[string, Buffer, string, string]>([
    // What servers say when they do not know, and what programs put before a file that they made themselves.
    ['menu.pdf', pdf(100), 'application/force-download', 'application/pdf'],
    ['menu', pdf(100), 'binary/octet-stream', 'application/pdf'],
    ['menu.pdf', pdf(100), 'application/x-www-form-urlencoded', 'application/pdf'],
    ['app.apk', ZIP, 'application/octet-stream', 'application/vnd.android.package-archive'],
    ['letter.docx', ZIP, 'application/zip', DOCX],
    ['letter.docx', ZIP, 'application/x-zip-compressed', DOCX],
    ['letter.doc', OLE, 'application/download', 'application/msword'],
    ['things.zip', ZIP, 'application/x-msdownload', 'application/zip'],
    ['logo.svg', Buffer.from('<?xml version="1.0"?><svg/>'), 'application/octet-stream', 'image/svg+xml'],
    ['nota.xml', Buffer.from('<?xml version="1.0"?><nfe/>'), 'application/octet-stream', 'application/xml'],
    // Texts that begin as AIFF, PAR2, BMP and GIF do.
    ['ficha.txt', Buffer.from('FORMULARIO DE INSCRIPCION\n'), 'application/octet-stream', 'text/plain'],
    ['parecer.txt', Buffer.from('PARECER TÉCNICO\n', 'latin1'), 'application/octet-stream', 'text/plain'],
    ['saude.csv', Buffer.from('BMI;peso\r\n23,5;70\r\n'), 'application/octet-stream', 'text/csv'],
    ['cards.csv', Buffer.from('GIFT;price\n'), 'application/octet-stream', 'text/csv'],
  ])('%s (%#)', async (name, bytes, type, expected) => {
    expect(await typeOf(way, { bytes, type, name })).toBe(expected);
  });

  test('a vague word of the caller does not beat the bytes either, a plain one does', async () => {
    const file = { bytes: pdf(100), type: 'application/octet-stream', name: 'menu' };
    expect(await typeOf(way, { ...file, said: 'application/octet-stream' })).toBe('application/pdf');
    expect(await typeOf(way, { ...file, said: 'Application/X-Download; a=b' })).toBe('application/pdf');
    expect(await typeOf(way, { ...file, said: 'text/csv; charset=utf-8' })).toBe('text/csv; charset=utf-8');
  });
});

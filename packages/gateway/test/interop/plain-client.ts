/**
 * A plain Baileys client, as its own documentation shows one: nothing of WUTS in it. Only the Noise root is
 * set (ROOT_KEY), and Node is started with NODE_EXTRA_CA_CERTS for the media hosts.
 * Speaks JSON lines: out {qr} {open} {message}; in {send: {to, text?, image?}}.
 */
import { createInterface } from 'node:readline';
import {
  type AuthenticationCreds,
  downloadMediaMessage,
  initAuthCreds,
  makeWASocket,
  type SignalDataSet,
  type SignalDataTypeMap,
  WA_CERT_DETAILS,
} from 'baileys';

WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(process.env.ROOT_KEY ?? '', 'hex');
const creds: AuthenticationCreds = initAuthCreds();
const keys = new Map<string, unknown>();
const store = {
  get: <T extends keyof SignalDataTypeMap>(type: T, ids: string[]) => {
    const found: { [id: string]: SignalDataTypeMap[T] } = {};
    for (const id of ids) {
      const value = keys.get(`${type}/${id}`);
      if (value) found[id] = value as SignalDataTypeMap[T];
    }
    return found;
  },
  set: (data: SignalDataSet) => {
    for (const [type, entries] of Object.entries(data)) {
      for (const [id, value] of Object.entries(entries ?? {})) keys.set(`${type}/${id}`, value);
    }
  },
};
const silent = {
  level: 'silent',
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silent,
};
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

let socket = connect();

function connect() {
  const client = makeWASocket({
    auth: { creds, keys: store },
    waWebSocketUrl: process.env.NETWORK_URL ?? '',
    logger: silent,
  });
  client.ev.on('connection.update', ({ qr, connection, lastDisconnect }) => {
    if (qr) say({ qr });
    if (connection === 'open') say({ open: client.user?.id });
    const error = lastDisconnect?.error as { output?: { statusCode?: number } } | undefined;
    // 515 after pairing: connect again, as with the real network.
    if (connection === 'close' && error?.output?.statusCode === 515) socket = connect();
  });
  client.ev.on('messages.upsert', async ({ messages }) => {
    for (const message of messages) {
      const content = message.message;
      if (message.key.fromMe || !content) continue;
      const text = content.conversation ?? content.extendedTextMessage?.text ?? content.imageMessage?.caption;
      const image = content.imageMessage
        ? (await downloadMediaMessage(message, 'buffer', {})).toString('base64')
        : undefined;
      say({ message: { id: message.key.id, text, image } });
    }
  });
  return client;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { send } = JSON.parse(line) as { send: { to: string; text?: string; image?: string } };
  const content = send.image
    ? { image: Buffer.from(send.image, 'base64'), caption: send.text ?? '' }
    : { text: send.text ?? '' };
  const sent = await socket.sendMessage(send.to, content);
  say({ sent: sent?.key.id });
}
process.exit(0);

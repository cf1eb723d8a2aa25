/**
 * A plain Baileys client with its keys in memory, as its documentation shows one: what WUTS is measured
 * against. It keeps nothing, and nobody hears of a message but the listener of `messages.upsert`.
 */
import {
  generateMessageIDV2,
  initAuthCreds,
  makeWASocket,
  type SignalDataSet,
  type SignalDataTypeMap,
  WA_CERT_DETAILS,
} from 'baileys';
import { answerCalls } from './calls.ts';
import { inLanes } from './lanes.ts';
import { Tally } from './tally.ts';

WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(process.env.ROOT_KEY ?? '', 'hex');

const silent = {
  level: 'silent',
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silent,
};
const stored = new Map<string, unknown>();
const store = {
  get: <T extends keyof SignalDataTypeMap>(type: T, ids: string[]) => {
    const found: { [id: string]: SignalDataTypeMap[T] } = {};
    for (const id of ids) {
      const value = stored.get(`${type}/${id}`);
      if (value) found[id] = value as SignalDataTypeMap[T];
    }
    return found;
  },
  set: (data: SignalDataSet) => {
    for (const [type, entries] of Object.entries(data)) {
      for (const [id, value] of Object.entries(entries ?? {})) stored.set(`${type}/${id}`, value);
    }
  },
};
const creds = initAuthCreds();
const tally = new Tally();
const acks = new Map<string, (error: Error | null) => void>();
let onQr: (qr: string) => void = () => undefined;
let onOpen: () => void = () => undefined;
const opened = new Promise<void>((resolve) => {
  onOpen = resolve;
});
let socket: ReturnType<typeof makeWASocket>;

function connect(): void {
  socket = makeWASocket({
    auth: { creds, keys: store },
    waWebSocketUrl: process.env.NETWORK_URL ?? '',
    logger: silent,
    // As the gateway: no history, not shown as online.
    markOnlineOnConnect: false,
    syncFullHistory: false,
    shouldSyncHistoryMessage: () => false,
  });
  socket.ev.on('connection.update', ({ qr, connection, lastDisconnect }) => {
    if (qr) onQr(qr);
    if (connection === 'open') onOpen();
    const error = lastDisconnect?.error as { output?: { statusCode?: number } } | undefined;
    // 515 after pairing: connect again, as with the real network.
    if (connection === 'close' && error?.output?.statusCode === 515) connect();
  });
  socket.ev.on('messages.upsert', ({ messages }) => {
    for (const { key, message } of messages) {
      if (!key.fromMe && message) tally.add(message.conversation ?? message.extendedTextMessage?.text ?? '');
    }
  });
  socket.ws.on('CB:ack,class:message', ({ attrs }: { attrs: Record<string, string> }) => {
    const waiting = acks.get(attrs.id ?? '');
    acks.delete(attrs.id ?? '');
    waiting?.(attrs.error ? new Error(`refused: ${attrs.error}`) : null);
  });
}

/** `sendMessage` ends when the stanza is written; the gateway's answer says that the server has it. */
async function sendAndAwaitAck(to: string, text: string): Promise<void> {
  const messageId = generateMessageIDV2(socket.user?.id);
  const acknowledged = new Promise<void>((resolve, reject) => {
    acks.set(messageId, (error) => (error ? reject(error) : resolve()));
  });
  await socket.sendMessage(to, { text }, { messageId });
  await acknowledged;
}

answerCalls({
  qr: () => {
    const first = new Promise<string>((resolve) => {
      onQr = resolve;
    });
    connect();
    return first;
  },
  opened: () => opened,
  /** Which of the numbers are on WhatsApp, in one question. */
  registered: async ({ numbers }: { numbers: string[] }) => {
    const found = (await socket.onWhatsApp(...numbers)) ?? [];
    return found.flatMap(({ jid, exists }) => (exists ? [jid.split('@')[0] ?? ''] : []));
  },
  until: (what: { stream: string; count: number }) => tally.until(what),
  send: ({ to, count, concurrency }: { to: string[]; count: number; concurrency: number }) =>
    inLanes(count, concurrency, (index) =>
      sendAndAwaitAck(`${to[index % to.length]}@s.whatsapp.net`, `message ${index}`),
    ),
});

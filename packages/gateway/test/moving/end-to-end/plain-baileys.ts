/**
 * A program of its own, as people write it with Baileys: a folder of files, a connection, texts. The library is the
 * one that the first argument names; nothing of the gateway is in its process.
 *
 * node plain-baileys.ts LIBRARY FOLDER URL ROOT_KEY
 */
const [library = '', folder = '', waWebSocketUrl = '', rootKey = ''] = process.argv.slice(2);
/** Frames and keys: see `hearWhenReady`. */
let underWay = 0;
let whenReady = (): void => {};
countKeys();
const baileys = await import(library);
// Baileys 6 looks at the serial number of the certificate alone.
baileys.WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(rootKey, 'hex');

const ignore = (): void => {};
const logger = {
  level: 'silent',
  child: () => logger,
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: (...told: unknown[]) => process.env.PLAIN_DEBUG && console.error(...told),
};
const RESTART_REQUIRED = 515;

const tell = (event: object): void => void process.send?.(event);
const { state, saveCreds: save } = await baileys.useMultiFileAuthState(folder);
const writing = new Set<Promise<void>>();
const saveCreds = watched(save);
state.keys.set = watched(state.keys.set);
const groups = new Map<string, unknown>();
let socket: ReturnType<typeof connect>;

/** `write`, which is in `writing` until it is on the disk. */
function watched<Args extends unknown[]>(write: (...args: Args) => Promise<void>) {
  return (...args: Args): Promise<void> => {
    const done = write(...args).finally(() => writing.delete(done));
    writing.add(done);
    return done;
  };
}

/** Timers of the library would keep the process for half a minute more. */
async function end(): Promise<never> {
  await socket.end(undefined);
  await saveCreds();
  while (writing.size > 0) {
    await Promise.all(writing);
    // What waited for a write may begin another one.
    await new Promise(setImmediate);
  }
  process.exit();
}

function connect() {
  const made = baileys.makeWASocket({
    auth: state,
    waWebSocketUrl,
    logger,
    // Without it a first connection holds its events back for 20 s, waiting for a history sync.
    shouldSyncHistoryMessage: () => false,
    syncFullHistory: false,
    cachedGroupMetadata: async (jid: string) => groups.get(jid),
  });
  hearWhenReady(made);
  made.ev.on('creds.update', saveCreds);
  made.ev.on('connection.update', ({ qr, connection, lastDisconnect }: Update) => {
    if (qr) tell({ type: 'qr', qr });
    if (connection === 'open') tell({ type: 'open' });
    if (connection !== 'close') return;
    const code = lastDisconnect?.error?.output?.statusCode ?? 0;
    if (code === RESTART_REQUIRED) socket = connect();
    else tell({ type: 'closed', code });
  });
  made.ev.on('messages.upsert', ({ messages }: { messages: Message[] }) => {
    for (const { key, message } of messages) {
      const text = message?.conversation ?? message?.extendedTextMessage?.text ?? null;
      tell({ type: 'message', text, chat: key.remoteJid });
    }
  });
  return made;
}

interface Update {
  qr?: string;
  connection?: string;
  lastDisconnect?: { error?: { output?: { statusCode?: number } } };
}

interface Message {
  key: { remoteJid: string };
  message?: { conversation?: string; extendedTextMessage?: { text?: string } };
}

process.on('message', async ({ chat, text, ends }: { chat: string; text: string; ends?: boolean }) => {
  if (ends) return end();
  try {
    if (chat.endsWith('@g.us')) groups.set(chat, await socket.groupMetadata(chat));
    await socket.sendMessage(chat, { text });
    tell({ type: 'sent', text });
  } catch (error) {
    tell({ type: 'failed', text, error: String(error) });
  }
});

/**
 * Baileys 6 takes what comes for plain until it has sent its last handshake frame and derived the keys behind it (socket.js
 * validateConnection, noise-handler.js finishInit, which it does not wait for), and what comes in that moment, as it does
 * on loopback, ends its process. What comes is kept back until all that it sends has left and all keys are derived.
 */
function hearWhenReady({ ws }: { ws: Frames }): void {
  let kept: unknown[][] = [];
  const { socket, emit } = ws;
  const send = socket.send.bind(socket);
  socket.send = (bytes, sent) => {
    const left = begun();
    send(bytes, (error) => {
      sent?.(error);
      left();
    });
  };
  ws.emit = (name, ...args) => {
    if (name !== 'message' || underWay === 0) return emit.call(ws, name, ...args);
    kept.push(args);
    return true;
  };
  whenReady = () => {
    const now = kept;
    kept = [];
    for (const message of now) ws.emit('message', ...message);
  };
}

/** Counts something that is under way; what is returned ends it, once what waits for it has gone on. */
function begun(): () => void {
  underWay += 1;
  return () =>
    setImmediate(() => {
      underWay -= 1;
      if (underWay === 0) whenReady();
    });
}

/** The library derives its keys with these. */
function countKeys(): void {
  const { subtle } = globalThis.crypto;
  const importKey = subtle.importKey.bind(subtle) as (...args: unknown[]) => Promise<unknown>;
  const deriveBits = subtle.deriveBits.bind(subtle) as (...args: unknown[]) => Promise<unknown>;
  const counted = (call: typeof importKey) => ({
    value: (...args: unknown[]) => call(...args).finally(begun()),
  });
  Object.defineProperties(subtle, { importKey: counted(importKey), deriveBits: counted(deriveBits) });
}

interface Frames {
  socket: { send(bytes: Uint8Array, sent?: (error?: Error) => void): void };
  emit(name: string, ...args: unknown[]): boolean;
}

socket = connect();

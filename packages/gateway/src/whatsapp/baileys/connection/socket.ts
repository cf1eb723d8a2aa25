import type { IncomingMessage } from 'node:http';
import type { Route } from '../../port/route.ts';
import {
  Browsers,
  type GroupMetadata,
  makeWASocket,
  proto,
  type SignalKeyStore,
  type Socket,
  type UserFacingSocketConfig,
} from '../library.ts';
import { noteForged, withoutUnreached } from '../outbound/departure.ts';
import { dropOddPeople } from '../outbound/odd-people.ts';
import { holdingOwnKeys } from '../outbound/own-device.ts';
import { bareForOwnPhone } from '../outbound/peer-message.ts';
import type { AuthState } from './auth-state.ts';
import { leavingOutForged } from './checked-signatures.ts';
import { type NetworkOptions, networkAgent, trusting } from './network-trust.ts';
import { type FrameSocket, holdFrames } from './outgoing-gate.ts';
import { tellOwnName } from './own-name.ts';
import { type LogSink, quietLogger } from './quiet-logger.ts';
import { writeTexts } from './stanza-writing.ts';
import { takeListeners } from './taken-listeners.ts';
import { dropUnheard } from './unheard-events.ts';

/** What the server shows for a companion; a pairing code is refused for platforms it does not know. */
const BROWSER = Browsers.ubuntu('Chrome');
/** What the library says of itself as this browser (validate-connection.js getPlatformType). */
export const DEVICE_TYPE = proto.DeviceProps.PlatformType.CHROME;
/** As long as Node's timers go: the library must not end a linking with its last QR. See `linking/pairing-qr.ts`. */
const NO_QR_TIMER_MS = 2 ** 31 - 1;
/** The library's own 10 tries 3 s apart would hold up a send for half a minute; what may not fail is tried on by us. */
const COMMIT_TRIES = { maxCommitRetries: 3, delayBetweenTriesMs: 200 };

/**
 * What the library would fetch by itself (messages-media.js `getHttpStream`) would go out by Node's `fetch`, which
 * knows nothing of the WebSocket's agent. Nothing of that is used here, and on a route nothing may.
 */
const NO_FETCHES = {
  dispatcher: {
    dispatch: () => {
      throw new Error('the library may fetch nothing past the proxy of a device');
    },
  },
} as unknown as RequestInit;

export interface SocketParts {
  network: NetworkOptions;
  route: Route | null;
  log: LogSink;
  /** How long a question waits for its answer, in milliseconds. */
  queryTimeoutMs: number;
  creds: AuthState['creds'];
  /** Keeps the keys, and follows the questions for the account's state. */
  account: { keys: SignalKeyStore; stateAsked(collection: string): void; questionFailed(): void };
  /** A question has not been answered. */
  onUnanswered(): void;
  /** The member list of a group, where it is kept. */
  keptGroup(jid: string): GroupMetadata | undefined;
  makeSignalRepository: NonNullable<UserFacingSocketConfig['makeSignalRepository']>;
  /** Resolves when every commit made before the call is durable. */
  durable(): Promise<void>;
}

/** Ends a connection at once: nothing more leaves on it, and the server sends again what was not acknowledged. */
export function cut(socket: Socket): void {
  framesOf(socket)?.terminate();
}

/** What sends frames, which `WebSocketClient` keeps protected; it is there from `connect` on, which `makeWASocket` calls. */
function framesOf({ ws }: Socket): FrameSocket | null {
  return (ws as unknown as { socket: FrameSocket | null }).socket;
}

/** The library's socket, connecting. Nothing leaves on it before what it tells of is on the disk. */
export function openSocket(parts: SocketParts): Socket {
  const { network, route, account } = parts;
  const agent = networkAgent(network, route);
  const config: UserFacingSocketConfig = {
    auth: { creds: parts.creds, keys: withoutUnreached(holdingOwnKeys(account.keys, parts.creds)) },
    waWebSocketUrl: network.url,
    logger: quietLogger(parts.log, {
      onUnanswered: () => {
        account.questionFailed();
        parts.onUnanswered();
      },
      onStateAsked: (collection) => account.stateAsked(collection),
    }),
    defaultQueryTimeoutMs: parts.queryTimeoutMs,
    browser: BROWSER,
    qrTimeout: NO_QR_TIMER_MS,
    ...(agent ? { agent } : {}),
    ...(route ? { options: NO_FETCHES } : {}),
    // As WhatsApp Web in the background: the phone keeps ringing for new messages.
    markOnlineOnConnect: false,
    syncFullHistory: false,
    // History is read by the account feed; the library would hold each file in memory, and all events back.
    shouldSyncHistoryMessage: () => false,
    emitOwnEvents: false,
    transactionOpts: COMMIT_TRIES,
    // It deletes our session with whoever sent what could not be read twice (messages-recv.js `sendRetryRequest`),
    // and with it what else they have on the way. The keys in the second request are enough for a new one.
    enableAutoSessionRecreation: false,
    makeSignalRepository: (...repository) =>
      leavingOutForged(parts.makeSignalRepository(...repository), (recipient, { message }) => {
        noteForged(recipient);
        parts.log.warn({ recipient, reason: message }, 'the keys that WhatsApp gave for a device are forged');
      }),
    patchMessageBeforeSending: bareForOwnPhone,
    cachedGroupMetadata: async (jid) => parts.keptGroup(jid),
  };
  const socket = trusting(network, () => makeWASocket(config));
  const frames = framesOf(socket);
  // Without the gate a receipt could leave before the disk has its message: better no session at all.
  if (!frames) throw new Error('the library no longer shows its WebSocket: see outgoing-gate.ts');
  holdFrames(frames, () => parts.durable());
  dropUnheard(socket.ev);
  endOnPlainAnswer(socket);
  hearFailures(socket, parts.log);
  socket.ws.on('frame', dropOddPeople);
  writeTexts(socket);
  tellOwnName(socket, ({ message }) =>
    parts.log.warn({ reason: message }, "the account's name was not told"),
  );
  return socket;
}

/**
 * What the library does about a stanza may fail because the connection has ended by then, and of some of it nobody hears
 * (socket.js, `offline_preview`): Node takes that for an error of the program.
 */
function hearFailures({ ws }: Socket, log: LogSink): void {
  for (const event of ws.eventNames().filter((name) => String(name).startsWith('CB:'))) {
    for (const listener of takeListeners(ws, event)) {
      ws.on(event, (...told: unknown[]) => {
        const done = Promise.resolve(listener(...told));
        done.catch((error: unknown) =>
          log.warn({ reason: (error as Error).message }, 'a stanza was not handled to its end'),
        );
        // Whoever calls it in the library's place hears of it too: `dirty-groups.ts`.
        return done;
      });
    }
  }
}

/**
 * An answer that is no upgrade comes from a proxy, a portal or a server that is down. The library listens to
 * it, so `ws` leaves the rest to the library (websocket.js, 'unexpected-response'), which does nothing: the
 * session would wait for ever.
 */
function endOnPlainAnswer({ ws }: Socket): void {
  ws.on('unexpected-response', (_request: unknown, response: IncomingMessage) => {
    response.destroy();
    ws.emit('error', new Error(`Unexpected server response: ${response.statusCode}`));
  });
}

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { StreamErrorKind } from '../faults.ts';
import { PASSKEY_DEMANDS } from '../link.ts';
import { toJid } from '../phones/address-book.ts';
import type { Phone } from '../phones/phone.ts';
import type { Sandbox } from '../sandbox.ts';
import { CERTIFICATE_FORGERIES, type SenderFilter } from '../state/fault-orders.ts';
import { ACCOUNT_OPERATIONS, addAccount } from './account.ts';
import {
  number,
  optionalFlag,
  optionalNumber,
  optionalText,
  optionalWord,
  present,
  text,
  texts,
} from './fields.ts';
import { addGroups, GROUP_OPERATIONS } from './groups.ts';
import { addHostile, HOSTILE_OPERATIONS } from './hostile.ts';
import { addLife, LIFE_OPERATIONS } from './life.ts';
import { addPasskeys, PASSKEY_OPERATIONS } from './passkeys.ts';
import { ControlError, type JsonObject, Router } from './router.ts';
import { sendFromBody } from './send.ts';

export interface ControlServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  stop(): Promise<void>;
}

const EXPIRY_STATUSES = [403, 404, 410] as const;
const RETRY_POLICIES = [
  'reupload',
  'not_found',
  'general_error',
  'decryption_error',
  'error_node',
  'silent',
] as const;

/** What `GET /` answers besides the addresses. */
const OPERATIONS = [
  'GET /phones',
  'POST /phones {number, name, lid?: text | null, passkey?: none|offered|required}',
  'GET /phones/{number}',
  'PATCH /phones/{number} {online?, answersRetries?, mediaRetry?, receipts?: {delivered?, read?}}',
  'POST /phones/{number}/scan {qr}',
  'POST /phones/{number}/paircode {code}',
  'DELETE /phones/{number}/companions/{device}',
  'POST /phones/{number}/send {to, type, …}',
  'POST /phones/{number}/broadcast-lists {members}',
  'GET /phones/{number}/inbox?chat=&after=',
  'GET /phones/{number}/conversations/{chat}',
  'GET /phones/{number}/receipts',
  'GET /phones/{number}/media-retries',
  'GET /phones/{number}/media/{id}',
  'POST /phones/{number}/read {chat, ids}',
  'POST /phones/{number}/played {chat, ids}',
  'GET /devices/{jid}',
  'GET /cdn/objects',
  'GET /cdn/log',
  'DELETE /cdn/log',
  'POST /cdn/expire {path?, status?}',
  'POST /cdn/corrupt|restore|remove {path}',
  'POST /cdn/truncate|drop {path, bytes}',
  'POST /cdn/slow {path, bytesPerSecond}',
  'POST /faults/stream-error {device, kind}',
  'POST /faults/failure {device, reason}',
  'POST /faults/drop|tear|demand-ack {device}',
  'POST /faults/ack-error {code, number?}',
  'POST /faults/silence-ack {times?, number?}',
  'POST /faults/refuse-login {number, code, times?}',
  'POST /faults/latency {ms}',
  'POST /faults/clear',
] as const;

/**
 * Starts the HTTP control API of a running sandbox on 127.0.0.1: what tests do in-process, for people and
 * other languages. It has no authentication: it drives simulated phones on loopback, and refuses web pages.
 */
export async function startControl(
  sandbox: Sandbox,
  options: { port?: number } = {},
): Promise<ControlServer> {
  const router = new Router();
  router.on('GET', '/', () => ({
    what: 'WUTS sandbox: a simulated WhatsApp network',
    networkUrl: sandbox.url,
    rootKey: sandbox.rootKey,
    caFile: sandbox.caFile,
    cdnUrl: sandbox.cdn.url,
    phones: sandbox.phones.map(summary),
    operations: [
      ...OPERATIONS,
      ...GROUP_OPERATIONS,
      ...LIFE_OPERATIONS,
      ...ACCOUNT_OPERATIONS,
      ...HOSTILE_OPERATIONS,
      ...PASSKEY_OPERATIONS,
    ],
  }));
  addPhones(router, sandbox);
  router.on('GET', '/devices/{jid}', ({ params: { jid = '' } }) => ({
    online: sandbox.online(jid),
    pending: sandbox.pendingFor(jid),
  }));
  addGroups(router, sandbox, (given) => phoneOf(sandbox, given));
  addCdn(router, sandbox);
  addFaults(router, sandbox);
  addLife(router, sandbox, (given) => phoneOf(sandbox, given));
  addAccount(router, sandbox, (given) => phoneOf(sandbox, given));
  addHostile(router, sandbox, (given) => phoneOf(sandbox, given));
  addPasskeys(router, (given) => phoneOf(sandbox, given));

  const server = createServer((request, response) => {
    router.handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function summary(phone: Phone) {
  const { jid, name, online, companions, receipts, mediaRetry } = phone;
  const lid = phone.lid === jid ? null : phone.lid;
  return { number: phone.number, name, jid, lid, online, companions, receipts, mediaRetry };
}

function phoneOf(sandbox: Sandbox, given: string | undefined): Phone {
  const digits = (given ?? '').replace(/[^0-9]/g, '');
  const phone = sandbox.phones.find((candidate) => candidate.number === digits);
  if (!phone) throw new ControlError(404, `no phone has the number ${given ?? ''}`);
  return phone;
}

function addPhones(router: Router, sandbox: Sandbox): void {
  const at = (params: Readonly<Record<string, string>>) => phoneOf(sandbox, params.number);
  router
    .on('GET', '/phones', () => ({ phones: sandbox.phones.map(summary) }))
    .on('POST', '/phones', async ({ body }) => {
      const lid = body.lid === null ? null : optionalText(body, 'lid');
      const digits = text(body, 'number').replace(/[^0-9]/g, '');
      const passkey = optionalWord(body, 'passkey', PASSKEY_DEMANDS);
      const named = { number: digits, name: optionalText(body, 'name') ?? digits };
      const made = passkey === undefined ? named : { ...named, passkey };
      return summary(await sandbox.createPhone(lid === undefined ? made : { ...made, lid }));
    })
    .on('GET', '/phones/{number}', ({ params }) => summary(at(params)))
    .on('PATCH', '/phones/{number}', async ({ params, body }) => {
      const phone = at(params);
      const policy = optionalWord(body, 'mediaRetry', RETRY_POLICIES);
      const online = optionalFlag(body, 'online');
      const receipts = (body.receipts ?? {}) as JsonObject;
      phone.receipts = {
        ...phone.receipts,
        ...present<{ delivered: boolean; read: 'auto' | 'manual' }>({
          delivered: optionalFlag(receipts, 'delivered'),
          read: optionalWord(receipts, 'read', ['auto', 'manual']),
        }),
      };
      if (policy !== undefined) phone.mediaRetry = policy;
      phone.answersRetries = optionalFlag(body, 'answersRetries') ?? phone.answersRetries;
      if (online === true) await phone.goOnline();
      if (online === false) await phone.goOffline();
      return summary(phone);
    })
    .on('POST', '/phones/{number}/scan', ({ params, body }) => at(params).scanQr(text(body, 'qr')))
    .on('POST', '/phones/{number}/paircode', ({ params, body }) =>
      at(params).enterPairCode(text(body, 'code')),
    )
    .on('DELETE', '/phones/{number}/companions/{device}', ({ params }) =>
      at(params).unlink(Number(params.device)),
    )
    .on('POST', '/phones/{number}/send', ({ params, body }) => sendFromBody(at(params), body))
    .on('POST', '/phones/{number}/broadcast-lists', ({ params, body }) =>
      at(params).createBroadcastList(texts(body, 'members')),
    )
    .on('GET', '/phones/{number}/inbox', ({ params, query }) => {
      const phone = at(params);
      const chat = query.get('chat');
      const after = Number(query.get('after') ?? 0);
      const wanted = chat === null ? undefined : toJid(chat);
      const messages = phone.inbox
        .map((message, index) => ({ position: index + 1, ...message }))
        .filter(({ position, chat: jid }) => position > after && (wanted === undefined || jid === wanted));
      return { messages };
    })
    .on('GET', '/phones/{number}/conversations/{chat}', ({ params }) => ({
      messages: at(params).conversation(params.chat ?? ''),
    }))
    .on('GET', '/phones/{number}/receipts', ({ params }) => ({ receipts: at(params).receivedReceipts }))
    .on('GET', '/phones/{number}/media-retries', ({ params }) => ({
      requests: at(params).mediaRetryRequests,
    }))
    .on('GET', '/phones/{number}/media/{id}', async ({ params }) => {
      const message = at(params).inbox.find(({ id }) => id === params.id);
      if (!message) throw new ControlError(404, `no message ${params.id ?? ''} came in`);
      return { base64: await at(params).downloadMedia(message) };
    })
    .on('POST', '/phones/{number}/read', ({ params, body }) =>
      at(params).markRead(text(body, 'chat'), texts(body, 'ids')),
    )
    .on('POST', '/phones/{number}/played', ({ params, body }) =>
      at(params).markPlayed(text(body, 'chat'), texts(body, 'ids')),
    );
}

function addCdn(router: Router, { cdn }: Sandbox): void {
  router
    .on('GET', '/cdn/objects', () => ({
      objects: cdn.objects().map(({ path, directPath, bytes, fault }) => ({
        path,
        directPath,
        bytes: bytes.length,
        fault,
      })),
    }))
    .on('GET', '/cdn/log', () => ({ log: cdn.log }))
    .on('DELETE', '/cdn/log', () => cdn.clearLog())
    .on('POST', '/cdn/expire', ({ body }) => {
      const path = optionalText(body, 'path');
      const wanted = optionalNumber(body, 'status') ?? 404;
      const status = EXPIRY_STATUSES.find((known) => known === wanted);
      if (status === undefined) throw new ControlError(400, `status: one of ${EXPIRY_STATUSES.join(', ')}`);
      if (path === undefined) cdn.expireAll(status);
      else cdn.expire(path, status);
    })
    .on('POST', '/cdn/corrupt', ({ body }) => cdn.corrupt(text(body, 'path')))
    .on('POST', '/cdn/truncate', ({ body }) => cdn.truncate(text(body, 'path'), number(body, 'bytes')))
    .on('POST', '/cdn/drop', ({ body }) => cdn.dropAfter(text(body, 'path'), number(body, 'bytes')))
    .on('POST', '/cdn/slow', ({ body }) => cdn.slow(text(body, 'path'), number(body, 'bytesPerSecond')))
    .on('POST', '/cdn/restore', ({ body }) => cdn.restore(text(body, 'path')))
    .on('POST', '/cdn/remove', ({ body }) => cdn.remove(text(body, 'path')));
}

function addFaults(router: Router, { faults }: Sandbox): void {
  router
    .on('POST', '/faults/stream-error', ({ body }) => faults.streamError(text(body, 'device'), kindOf(body)))
    .on('POST', '/faults/failure', ({ body }) => faults.failure(text(body, 'device'), number(body, 'reason')))
    .on('POST', '/faults/drop', ({ body }) => faults.drop(text(body, 'device')))
    .on('POST', '/faults/tear', ({ body }) => faults.tearNext(text(body, 'device')))
    .on('POST', '/faults/demand-ack', ({ body }) => ({
      ended: faults.demandAcknowledgement(text(body, 'device')),
    }))
    .on('POST', '/faults/ack-error', ({ body }) => faults.nextAckError(number(body, 'code'), senderOf(body)))
    .on('POST', '/faults/silence-ack', ({ body }) =>
      faults.silenceAck(optionalNumber(body, 'times') ?? 1, senderOf(body)),
    )
    .on('POST', '/faults/refuse-login', ({ body }) => {
      const times = optionalNumber(body, 'times');
      const ban = present<Record<string, string>>({
        code: optionalText(body, 'ban_code'),
        expire: optionalText(body, 'expire'),
      });
      const order = { number: text(body, 'number'), attrs: ban };
      faults.refuseLogin(number(body, 'code'), times === undefined ? order : { ...order, times });
    })
    .on('POST', '/faults/restrict-new-chats', ({ body }) =>
      faults.restrictNewChats(
        text(body, 'number'),
        present<{ seconds?: number; type?: string }>({
          seconds: optionalNumber(body, 'seconds'),
          type: optionalText(body, 'type'),
        }),
      ),
    )
    .on('POST', '/faults/lift-restriction', ({ body }) => faults.liftRestriction(text(body, 'number')))
    .on('POST', '/faults/forge-keys', ({ body }) =>
      faults.forgeKeys(text(body, 'number'), optionalFlag(body, 'forged') ?? true),
    )
    .on('POST', '/faults/forge-linking', ({ body }) =>
      faults.forgeLinking(text(body, 'number'), optionalFlag(body, 'forged') ?? true),
    )
    .on('POST', '/faults/forge-certificate', ({ body }) =>
      faults.forgeCertificate(optionalWord(body, 'how', CERTIFICATE_FORGERIES) ?? null),
    )
    .on('POST', '/faults/latency', ({ body }) => faults.setLatency(number(body, 'ms')))
    .on('POST', '/faults/clear', () => faults.clear());
}

function senderOf(body: JsonObject): SenderFilter {
  return present<SenderFilter>({ number: optionalText(body, 'number') });
}

function kindOf(body: JsonObject): StreamErrorKind {
  if (typeof body.kind === 'number') return body.kind;
  const word = optionalWord(body, 'kind', ['replaced', 'logged_out', 'banned', 'outdated']);
  if (word === undefined) throw new ControlError(400, 'kind: a name or a code is needed');
  return word;
}

import { randomBytes } from 'node:crypto';
import { type BinaryNode, getAllBinaryNodeChildren, getBinaryNodeChild } from 'baileys';
import { type AddressBook, toJid, withDevice } from './address-book.ts';
import type { PhoneConnection } from './connection.ts';

/** A call signal that came in. */
export interface CallSignal {
  readonly callId: string;
  /** `offer`, `accept`, `preaccept`, `reject`, `terminate`, `relaylatency`, `transport`, … */
  readonly signal: string;
  /** Bare JID of who sent it, phone number where it is known. */
  readonly from: string;
  readonly video: boolean;
  readonly reason: string | undefined;
}

interface KnownCall {
  /** Whom signals go to: the other side, or the group. */
  readonly peer: string;
  readonly creator: string;
}

interface Waiter {
  matches(signal: CallSignal): boolean;
  resolve(signal: CallSignal): void;
}

/** Signalling of calls; there is no media. Stanzas as whatsmeow call.go reads and RejectCall writes them. */
export class CallClient {
  readonly received: CallSignal[] = [];
  readonly #connection: PhoneConnection;
  readonly #book: AddressBook;
  readonly #ownLid: string;
  readonly #calls = new Map<string, KnownCall>();
  readonly #waiters = new Set<Waiter>();

  constructor(connection: PhoneConnection, book: AddressBook, ownLid: string) {
    this.#connection = connection;
    this.#book = book;
    this.#ownLid = ownLid;
  }

  /** Rings a user or a group; resolves with the call's id when the network took the offer. */
  async offer(to: string, video: boolean): Promise<string> {
    const callId = randomBytes(16).toString('hex').toUpperCase();
    const bare = toJid(to);
    const peer = bare.endsWith('@g.us') ? bare : toJid(await this.#book.lid(bare));
    this.#calls.set(callId, { peer, creator: withDevice(this.#ownLid, 0) });
    const media = [{ tag: 'audio', attrs: { enc: 'opus', rate: '16000' } }];
    if (video) media.push({ tag: 'video', attrs: { enc: 'vp8', rate: '90000' } });
    this.send(callId, 'offer', {}, media);
    return callId;
  }

  /** Sends any signal of a call that this phone made or was offered. */
  send(callId: string, signal: string, attrs: Record<string, string> = {}, content?: BinaryNode[]): void {
    const call = this.#calls.get(callId);
    if (!call) throw new Error(`this phone knows no call ${callId}`);
    const node: BinaryNode = {
      tag: signal,
      attrs: { 'call-id': callId, 'call-creator': call.creator, ...attrs },
      ...(content === undefined ? {} : { content }),
    };
    this.#connection.send({
      tag: 'call',
      attrs: { to: call.peer, id: this.#connection.nextId() },
      content: [node],
    });
  }

  /** One relay as the sender measured it; the upper byte carries flags, as in captures of `relaylatency`. */
  relayLatency(callId: string, latencyMs: number): void {
    const te = { tag: 'te', attrs: { relay_name: 'sbx1c01', latency: String(0x2_00_00_00 | latencyMs) } };
    this.send(callId, 'relaylatency', {}, [te]);
  }

  take(node: BinaryNode): void {
    const [child] = getAllBinaryNodeChildren(node);
    const { from = '' } = node.attrs;
    if (!child) return;
    const callId = child.attrs['call-id'] ?? '';
    const creator = child.attrs['call-creator'] ?? from;
    if (child.attrs.caller_pn) this.#book.learn(child.attrs.caller_pn, toJid(creator));
    if (!this.#calls.has(callId)) {
      this.#calls.set(callId, { peer: child.attrs['group-jid'] ?? toJid(from), creator });
    }
    const signal: CallSignal = {
      callId,
      signal: child.tag,
      from: this.#book.canonical(from),
      video: child.attrs.media === 'video' || getBinaryNodeChild(child, 'video') !== undefined,
      reason: child.attrs.reason,
    };
    this.received.push(signal);
    for (const waiter of [...this.#waiters]) {
      if (!waiter.matches(signal)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(signal);
    }
  }

  /** Looks at what came in, then waits. Rejects after `timeoutMs`. */
  waitFor(matches: (signal: CallSignal) => boolean, timeoutMs: number): Promise<CallSignal> {
    const present = this.received.find(matches);
    if (present) return Promise.resolve(present);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        matches,
        resolve: (signal) => {
          clearTimeout(timer);
          resolve(signal);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        const seen = this.received.map(({ signal }) => signal).join(', ');
        reject(new Error(`no such call signal within ${timeoutMs} ms; came: ${seen || 'none'}`));
      }, timeoutMs);
      this.#waiters.add(waiter);
    });
  }
}

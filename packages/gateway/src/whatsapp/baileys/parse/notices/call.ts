import { LRUCache } from 'lru-cache';
import type { Identity, Jid } from '../../../port/identity.ts';
import type { CallEventName, SessionNotice } from '../../../port/notices.ts';
import {
  type BinaryNode,
  getAllBinaryNodeChildren,
  getBinaryNodeChildren,
  isJidGroup,
} from '../../library.ts';
import { identity, type LidDirectory } from '../message-source.ts';
import { stampOf } from '../stanza-time.ts';

/** The one child of a `<call>` says what happened (whatsmeow call.go handleCallEvent). */
const SIGNALS = new Map<string, CallEventName>([
  ['offer', 'call.offer'],
  ['offer_notice', 'call.offer'],
  ['accept', 'call.accept'],
  ['preaccept', 'call.pre_accept'],
  ['reject', 'call.reject'],
  ['terminate', 'call.terminate'],
  ['relaylatency', 'call.relay_latency'],
  ['transport', 'call.transport'],
]);

/** Calls whose offer is remembered; a ringing call lives for a minute. */
const MAX_CALLS = 100;
const CALL_MAX_AGE_MS = 12 * 60 * 60_000;
/** The upper byte of a relay latency holds flags: captures show 0x2000030 for 48 ms. */
const LATENCY_BITS = 0xff_ff_ff;

interface KnownCall {
  from: Identity;
  group: Jid | null;
  video: boolean;
}

/**
 * Reads `<call>` stanzas. Only the offer says whether it is video, and often only the offer names the
 * caller's phone number, so offers are remembered for the signals that follow.
 */
export class CallStanzas {
  readonly #calls = new LRUCache<string, KnownCall>({ max: MAX_CALLS, ttl: CALL_MAX_AGE_MS });

  async notices(stanza: BinaryNode, directory: LidDirectory): Promise<SessionNotice[]> {
    const children = getAllBinaryNodeChildren(stanza);
    const signal = children[0];
    const name = (children.length === 1 && signal && SIGNALS.get(signal.tag)) || 'call.unknown';
    const callId = signal?.attrs['call-id'] ?? '';
    const known = this.#calls.get(callId);
    const call = known
      ? { ...known, group: known.group ?? groupOf(signal) }
      : await describe(stanza, signal, directory);
    if (name === 'call.offer' && callId) this.#calls.set(callId, call);
    return [
      {
        name,
        callId,
        ...call,
        offline: stanza.attrs.offline !== undefined,
        timestamp: stampOf(stanza.attrs.t),
        reason: (name === 'call.terminate' && signal?.attrs.reason) || null,
        latencyMs: name === 'call.relay_latency' && signal ? latencyOf(signal) : null,
      },
    ];
  }
}

/** `call-creator` is the caller, with `caller_pn` beside a LID; without it the stanza's sender has to do. */
async function describe(
  stanza: BinaryNode,
  signal: BinaryNode | undefined,
  directory: LidDirectory,
): Promise<KnownCall> {
  const attrs = signal?.attrs ?? {};
  const sender = isJidGroup(stanza.attrs.from) ? undefined : stanza.attrs.from;
  const caller = attrs['call-creator'] ?? attrs.from ?? sender ?? '';
  return {
    from: await identity(caller, attrs.caller_pn ?? attrs.caller_lid, directory),
    group: groupOf(signal),
    video: attrs.media === 'video' || getBinaryNodeChildren(signal, 'video').length > 0,
  };
}

function groupOf(signal: BinaryNode | undefined): Jid | null {
  return signal?.attrs['group-jid'] ?? null;
}

/** The best of the relays that the sender measured: `<te latency>`, or an attribute of the signal itself. */
function latencyOf(signal: BinaryNode): number | null {
  const written = [signal, ...getBinaryNodeChildren(signal, 'te')].flatMap(
    ({ attrs }) => attrs.latency ?? attrs.latency_ms ?? attrs['latency-ms'] ?? [],
  );
  const measured = written.map(Number).filter((value) => Number.isInteger(value) && value >= 0);
  return measured.length > 0 ? Math.min(...measured.map((value) => value & LATENCY_BITS)) : null;
}

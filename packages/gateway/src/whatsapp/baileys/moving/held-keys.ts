/** Each type of key of a held session: how its id is written, what its value must be, and how it is kept here. */
import type { HeldKey, HeldKeyType } from '../../port/moving.ts';
import {
  CONTACT_SECRET_KEYS,
  LONGEST_CONTACT_SECRET,
  OWN_CONTACT_SECRET,
} from '../account/contact-secret.ts';
import { proto } from '../library.ts';
import { MOST_KEY_ID } from './credentials.ts';
import { HeldValue } from './held-value.ts';
import { bareKey, heldKeyPair } from './key-pairs.ts';
import { senderKey, sessionRecord } from './signal-records.ts';

/** `<user>[_<domain>].<device>`. */
const ADDRESS = /^\d{1,20}(?:_(?:1|128|129))?\.\d{1,5}$/;
const SENDER = /^[^\s:@]{1,64}@[a-z.]{1,20}::\d{1,20}(?:_(?:1|128|129))?::\d{1,5}$/;
const JID = /^[^\s@/]{1,64}@[a-z.]{1,20}$/;
const DIGITS = /^\d{1,20}$/;
const DEVICE = /^\d{1,5}$/;
const KEY_ID = /^[1-9]\d{0,7}$/;
const STATE_KEY_ID = /^[A-Za-z0-9+/]{1,64}={0,2}$/;
/** `<LID digits>_reverse` tells the number. */
const REVERSE = '_reverse';
/** Devices of one group: 1024 members with five companions each, and past ones. */
const MOST_DEVICES = 20_000;
const TOKEN_INDEX = '__index';

/** A key in the form in which the library stores it. */
export interface ReadKey {
  id: string;
  value: unknown;
}

type KeyReader = (id: HeldValue, value: HeldValue) => ReadKey[];

/** What is there and means nothing: a record without a session, a list that the library makes anew. */
const NOTHING: ReadKey[] = [];

const READERS: { [type in HeldKeyType]: KeyReader } = {
  'pre-key': (id, value) => [{ id: id.text(KEY_ID), value: heldKeyPair(value) }],
  session: (id, value) => kept(id.text(ADDRESS), sessionRecord(value)),
  'identity-key': (id, value) => {
    const key = value.bytesOrBase64(33);
    bareKey(value, key);
    return [{ id: id.text(ADDRESS), value: key }];
  },
  'sender-key': (id, value) => kept(id.text(SENDER), senderKey(value)),
  'sender-key-memory': (id, value) => {
    const devices = value.members();
    if (devices.length > MOST_DEVICES) value.malformed(`has more than ${MOST_DEVICES} devices`);
    const holding = devices
      .filter(([, has]) => has.isTrue())
      .map(([jid]) => [new HeldValue(jid, value.field, '').text(JID), true]);
    return [{ id: id.text(JID), value: Object.fromEntries(holding) }];
  },
  'app-state-sync-key': (id, value) => [{ id: id.text(STATE_KEY_ID), value: stateKey(value) }],
  'app-state-sync-version': () => NOTHING,
  'lid-mapping': (id, value) => {
    const [name, other] = [id.text(), value.text(DIGITS)];
    const reverse = name.endsWith(REVERSE);
    const digits = new HeldValue(reverse ? name.slice(0, -REVERSE.length) : name, id.field, '').text(DIGITS);
    const [number, lid] = reverse ? [other, digits] : [digits, other];
    return [
      { id: number, value: lid },
      { id: `${lid}${REVERSE}`, value: number },
    ];
  },
  'device-list': (id, value) => [
    { id: id.text(DIGITS), value: value.items(1000).map((device) => device.text(DEVICE)) },
  ],
  tctoken: (id, value) => {
    if (id.raw === TOKEN_INDEX) return NOTHING;
    const [sentAt, receivedAt] = [value.member('senderTimestamp'), value.member('timestamp')];
    const token = {
      token: value.member('token').bytesOrBase64(),
      ...(receivedAt.absent ? {} : { timestamp: String(receivedAt.integer(0, Number.MAX_SAFE_INTEGER)) }),
      ...(sentAt.absent ? {} : { senderTimestamp: sentAt.integer(0, Number.MAX_SAFE_INTEGER) }),
    };
    return [{ id: id.text(JID), value: token }];
  },
  [CONTACT_SECRET_KEYS]: (_id, value) => {
    const secret = value.bytesOrBase64();
    if (secret.length > LONGEST_CONTACT_SECRET) {
      value.malformed(`has more than ${LONGEST_CONTACT_SECRET} bytes`);
    }
    return secret.length === 0 ? NOTHING : [{ id: OWN_CONTACT_SECRET, value: secret }];
  },
};

/** What a held key is here; none where it means nothing. Throws `HeldSessionRefused`. */
export function readKey(key: HeldKey): ReadKey[] {
  const { type, id, value, place } = key;
  return READERS[type](new HeldValue(id, `${type}.id`, place), new HeldValue(value, type, place));
}

/**
 * The library's list of the chats whose tokens it holds, by which it prunes them (tc-token-utils.ts
 * `TC_TOKEN_INDEX_KEY`).
 */
export function tokenIndex(jids: readonly string[]): ReadKey {
  return { id: TOKEN_INDEX, value: { token: Buffer.from(JSON.stringify(jids)) } };
}

function kept(id: string, value: unknown): ReadKey[] {
  return value === null ? NOTHING : [{ id, value }];
}

function stateKey(held: HeldValue): proto.Message.AppStateSyncKeyData {
  const [fingerprint, timestamp] = [held.member('fingerprint'), held.member('timestamp')];
  const indexes = fingerprint.absent ? null : fingerprint.member('deviceIndexes');
  return proto.Message.AppStateSyncKeyData.fromObject({
    keyData: held.member('keyData').bytesOrBase64(32),
    ...(fingerprint.absent
      ? {}
      : {
          fingerprint: {
            rawId: number(fingerprint.member('rawId')),
            currentIndex: number(fingerprint.member('currentIndex')),
            deviceIndexes: indexes === null || indexes.absent ? [] : indexes.items(1000).map(number),
          },
        }),
    ...(timestamp.absent ? {} : { timestamp: timestamp.integer(0, Number.MAX_SAFE_INTEGER) }),
  });
}

function number(held: HeldValue): number {
  return held.absent ? 0 : held.integer(0, MOST_KEY_ID * 256);
}

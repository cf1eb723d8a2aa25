/** What is thrown at a gateway, by kind. Each returns what it did, so that a finding can be read. */
import { deflateSync } from 'node:zlib';
import { type BinaryNode, proto } from 'baileys';
import type { Chance } from '../crash/chance.ts';
import { asks, type OddRequest, oddRequest } from './requests.ts';
import { mutated, oddAttributes, oddBytes, oddChildren, oddlyAnswered, oddText } from './texts.ts';
import type { FuzzWorld } from './world.ts';

export type Attack = (world: FuzzWorld, chance: Chance) => Promise<unknown>;

const ATTRIBUTES = [
  'from',
  'to',
  'participant',
  'participant_pn',
  'participant_lid',
  'sender_pn',
  'sender_lid',
  'recipient',
  'id',
  't',
  'type',
  'notify',
  'addressing_mode',
  'edit',
  'category',
  'offline',
  'verified_name',
  'jid',
  'lid',
  'count',
  'code',
  'reason',
  'subject',
  'call-id',
  'call-creator',
  'name',
  'version',
  'state',
  'expiration',
  'hash',
  'error',
] as const;
const CHILDREN = [
  'enc',
  'unavailable',
  'device-identity',
  'retry',
  'registration',
  'keys',
  'list',
  'item',
  'add',
  'remove',
  'promote',
  'demote',
  'create',
  'subject',
  'description',
  'participant',
  'group',
  'offer',
  'terminate',
  'accept',
  'composing',
  'update',
  'set',
  'delete',
  'count',
  'identity',
  'encrypt',
  'rmr',
  'error',
  'devices',
  'device',
  'collection',
  'meta',
  'bot',
  'live_updates',
  'messages',
  'privacy',
  'blocklist',
  'picture',
] as const;
const NOTIFICATIONS = [
  'w:gp2',
  'encrypt',
  'devices',
  'picture',
  'status',
  'account_sync',
  'server_sync',
  'mediaretry',
  'newsletter',
  'mex',
  'privacy_token',
  'contacts',
  'business',
  'link_code_companion_reg',
  'disappearing_mode',
  'psa',
] as const;
const COLLECTIONS = [
  'regular',
  'regular_low',
  'regular_high',
  'critical_block',
  'critical_unblock_low',
] as const;

/** The server's own attributes, with odd ones over them. */
function stanza(world: FuzzWorld, chance: Chance, tag: string, attrs: Record<string, string>): BinaryNode {
  return {
    tag,
    attrs: {
      from: chance.pick([world.mallory.lid, world.shop.lid, world.group.jid, '@s.whatsapp.net']),
      id: `F${chance.integer(0, 2 ** 32)}`,
      t: String(Math.floor(Date.now() / 1000)),
      ...attrs,
      ...oddAttributes(chance, ATTRIBUTES),
    },
    content: oddChildren(chance, CHILDREN, ATTRIBUTES),
  };
}

function inject(tag: string, type: (chance: Chance) => Record<string, string>): Attack {
  return async (world, chance) => {
    const node = stanza(world, chance, tag, type(chance));
    world.sandbox.inject(world.companion, node);
    return node;
  };
}

/** Contents of messages, to be mutated and nested. */
function content(chance: Chance): proto.IMessage {
  const text = oddText(chance);
  const key = { remoteJid: oddText(chance), fromMe: chance.hits(0.5), id: oddText(chance) };
  return chance.pick<proto.IMessage>([
    { conversation: text },
    {
      extendedTextMessage: {
        text,
        contextInfo: { stanzaId: text, participant: text, mentionedJid: [text, text] },
      },
    },
    {
      imageMessage: {
        url: text,
        mimetype: text,
        mediaKey: oddBytes(chance),
        fileLength: 2 ** 50,
        caption: text,
      },
    },
    { documentMessage: { fileName: `a${'.'.repeat(3000)}b`, title: text, directPath: text } },
    { reactionMessage: { key, text } },
    { protocolMessage: { key, type: chance.integer(0, 30), editedMessage: { conversation: text } } },
    {
      pollCreationMessage: { name: text, options: Array.from({ length: 300 }, () => ({ optionName: text })) },
    },
    {
      pollUpdateMessage: {
        pollCreationMessageKey: key,
        vote: { encPayload: oddBytes(chance), encIv: oddBytes(chance) },
      },
    },
    { contactMessage: { displayName: text, vcard: text } },
    { locationMessage: { degreesLatitude: Number.NaN, degreesLongitude: 1e308, name: text } },
    { listResponseMessage: { title: text, singleSelectReply: { selectedRowId: text } } },
    {
      senderKeyDistributionMessage: { groupId: text, axolotlSenderKeyDistributionMessage: oddBytes(chance) },
    },
    {
      interactiveResponseMessage: {
        nativeFlowResponseMessage: { name: text, paramsJson: '{"a":'.repeat(2000) },
      },
    },
  ]);
}

function nested(chance: Chance, inner: Uint8Array): Buffer {
  // `ephemeralMessage` (field 40) holds a FutureProofMessage, whose field 1 is a message.
  let bytes: Buffer = Buffer.from(inner);
  const wrap = (field: readonly number[], body: Buffer): Buffer =>
    Buffer.concat([Buffer.from(field), varint(body.length), body]);
  for (let n = chance.pick([1, 3, 40, 400, 3000]); n > 0; n -= 1) {
    bytes = wrap([0xc2, 0x02], wrap([0x0a], bytes));
  }
  return bytes;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left >>>= 7) {
    if (left < 0x80) return Buffer.from([...bytes, left]);
    bytes.push((left & 0x7f) | 0x80);
  }
}

async function plaintext(world: FuzzWorld, bytes: Uint8Array, padded = true): Promise<unknown> {
  await world.mallory.hostile.sendPlaintext(world.shop, bytes, { padded });
  return { plaintext: Buffer.from(bytes.subarray(0, 400)).toString('hex'), length: bytes.length, padded };
}

export const ATTACKS: Readonly<Record<string, Attack>> = {
  'push-name': async (world, chance) => {
    const name = oddText(chance);
    world.mallory.hostile.setPushName(name);
    await world.mallory.sendText(world.shop, 'who am I');
    world.mallory.hostile.setPushName('Mallory');
    return { name };
  },
  attributes: async (world, chance) => {
    const attrs = oddAttributes(chance, ATTRIBUTES);
    const bytes = proto.Message.encode({ conversation: 'odd attributes' }).finish();
    await world.mallory.hostile.sendPlaintext(world.shop, bytes, { attrs });
    return { attrs };
  },
  'plaintext-bytes': (world, chance) => plaintext(world, oddBytes(chance), chance.hits(0.8)),
  'plaintext-ff': (world, chance) => plaintext(world, Buffer.alloc(chance.integer(1, 20), 0xff)),
  protobuf: (world, chance) => plaintext(world, proto.Message.encode(content(chance)).finish()),
  'protobuf-mutated': (world, chance) =>
    plaintext(world, mutated(chance, proto.Message.encode(content(chance)).finish())),
  'protobuf-nested': (world, chance) =>
    plaintext(world, nested(chance, proto.Message.encode(content(chance)).finish())),
  receipt: async (world, chance) => {
    const type = chance.pick([
      'retry',
      'read',
      'played',
      'server-error',
      'inactive',
      'sender',
      'hist_sync',
      oddText(chance),
    ]);
    const ids = Array.from({ length: chance.pick([1, 2, 300]) }, () => oddText(chance));
    const count = chance.pick([0, 1, 5, 1000]);
    await world.mallory.hostile.forgeReceipt(world.companion, { type, ids, count, keys: chance.hits(0.5) });
    return { type, ids: ids.slice(0, 3), of: ids.length, count };
  },
  'stanza-message': inject('message', () => ({ type: 'text' })),
  'stanza-receipt': inject('receipt', (chance) => ({
    type: chance.pick(['read', 'retry', 'played', 'sender']),
  })),
  'stanza-call': inject('call', () => ({})),
  'stanza-presence': inject('presence', (chance) => ({ type: chance.pick(['available', 'unavailable']) })),
  'stanza-chatstate': inject('chatstate', () => ({})),
  notification: inject('notification', (chance) => ({ type: chance.pick(NOTIFICATIONS) })),
  history: async (world, chance) => {
    const history = proto.HistorySync.encode({
      syncType: chance.integer(0, 6),
      conversations: [
        {
          id: oddText(chance),
          messages: [{ message: { key: { id: oddText(chance) }, message: content(chance) } }],
        },
      ],
      pushnames: [{ id: oddText(chance), pushname: oddText(chance) }],
    }).finish();
    const bytes = chance.pick([
      oddBytes(chance),
      deflateSync(history),
      deflateSync(mutated(chance, history)),
      mutated(chance, deflateSync(history)),
      deflateSync(Buffer.alloc(chance.pick([1000, 20_000_000]))),
    ]);
    const [device = 1] = world.shop.companions;
    await world.shop.hostile.history(device, { bytes, inline: chance.hits(0.7) });
    return { bytes: bytes.subarray(0, 400).toString('hex'), length: bytes.length };
  },
  'app-state': async (world, chance) => {
    const collection = chance.pick(COLLECTIONS);
    const bytes = chance.pick([
      oddBytes(chance),
      mutated(
        chance,
        proto.SyncdPatch.encode({
          version: { version: 1 },
          snapshotMac: oddBytes(chance),
          patchMac: oddBytes(chance),
          keyId: { id: oddBytes(chance) },
        }).finish(),
      ),
    ]);
    world.shop.hostile.appStatePatch(collection, bytes);
    return { collection, bytes: bytes.subarray(0, 400).toString('hex'), length: bytes.length };
  },
  http: (world, chance) => requested(world, oddRequest(chance, world.operations, world.deviceId)),
  'odd-answers': async (world, chance) => {
    const { faults } = world.sandbox;
    const answers: BinaryNode[] = [];
    const asked = chance.pick(asks(world));
    faults.changeAnswers((answer) => {
      const odd = oddlyAnswered(chance, answer);
      answers.push(odd);
      return odd;
    });
    try {
      return await requested(world, asked);
    } catch (error) {
      throw new Error(
        `${String(error)} after ${JSON.stringify(asked)}, answered ${JSON.stringify(answers).slice(0, 3000)}`,
      );
    } finally {
      faults.changeAnswers(null);
    }
  },
};

/** Throws for an answer that is a fault of ours. */
async function requested(world: FuzzWorld, request: OddRequest): Promise<unknown> {
  const status = await world.request(request);
  if (status >= 500 && ![502, 503, 504].includes(status)) {
    throw new Error(`HTTP ${status} for ${JSON.stringify(request).slice(0, 1500)}`);
  }
  return { ...request, body: request.body?.slice(0, 500), status };
}

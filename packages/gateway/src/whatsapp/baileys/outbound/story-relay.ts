import { KeysUnavailable } from '../../port/errors.ts';
import { STORIES } from '../../port/stories.ts';
import {
  type BinaryNode,
  encodeSignedDeviceIdentity,
  encodeWAMessage,
  isHostedLidUser,
  isHostedPnUser,
  jidNormalizedUser,
  proto,
  type Socket,
} from '../library.ts';
import { announceDeparture, noteUnreached } from './departure.ts';
import { mediaKind, stanzaType } from './stanza-kind.ts';

export interface OutgoingStory {
  id: string;
  message: proto.IMessage;
  /** People, by the names that their devices are asked for under. */
  audience: readonly string[];
  edit?: string | undefined;
}

export interface SentStory {
  /** The devices that got our key in the stanza. */
  handed: string[];
  /** How many of the audience have no device. */
  missed: number;
}

/** What a story is sent as, to everybody who sees it. */
interface Encrypted {
  id: string;
  content: Buffer;
  ciphertext: Uint8Array;
  /** Our sender key as it was right before. */
  distribution: Uint8Array;
}

/** `device` of accounts that are hosted by Meta (jid-utils.js): they get no sender key from the library either. */
const HOSTED_DEVICE = 99;

/**
 * Sends stories. The library's `relayMessage` gives our sender key to each device of the audience with each story,
 * encrypts the story anew for each portion, and keeps the device's other messages waiting while it does. The key is
 * known to whoever has it: whatsapp-rust (sender_key_device_cache) and zapo (publishStatusMessage) send it, as
 * WhatsApp Web does, to each device once, and name the others' accounts in a bare `<to>`.
 *
 * Whoever lost the key asks again, and gets it with the story: see `retry-answers.ts`. Who once got it can read only
 * what the server hands over, which is what names him.
 */
export class StoryRelay {
  /** The portions of one story follow each other. */
  #last: Encrypted | null = null;

  /** Writes the stanza. Throws what the library throws. */
  async send(socket: Socket, story: OutgoingStory): Promise<SentStory> {
    if (story.message.reactionMessage) return sendReaction(socket, story);
    const { id, message, audience, edit } = story;
    const holders = await keyHolders(socket);
    const own = ownName(socket);
    const found = await socket.getUSyncDevices([...audience], true, false);
    const devices = found.filter((each) => each.jid !== own && isReached(each));
    const lacking = withoutKey(devices, holders);
    const { ciphertext, distribution } = await this.#encrypted(socket, id, message);
    await socket.assertSessions(lacking);
    const kind = mediaKind(message);
    const media = kind === null ? {} : { mediatype: kind };
    const handed = await handOut(socket, lacking, { distribution, media });
    const given = new Set(handed.map(({ attrs }) => attrs.jid));
    const others = devices.filter(({ jid, device }) => !device && !given.has(jid) && holders.has(jid));
    const content: BinaryNode[] = [
      {
        tag: 'participants',
        attrs: {},
        content: [
          ...handed,
          ...others.map(({ jid }) => ({ tag: 'to', attrs: { jid: jidNormalizedUser(jid) } })),
        ],
      },
      { tag: 'enc', attrs: { v: '2', type: 'skmsg', ...media }, content: ciphertext },
    ];
    content.push(...identityFor(socket, handed));
    announceDeparture();
    await socket.sendNode({
      tag: 'message',
      attrs: { id, to: STORIES, type: stanzaType(message), ...(edit ? { edit } : {}) },
      content,
    });
    const there = new Set(found.map(({ jid }) => jidNormalizedUser(jid)));
    return {
      handed: [...given].filter((jid) => jid !== undefined),
      missed: audience.filter((jid) => !there.has(jidNormalizedUser(jid))).length,
    };
  }

  /** Encrypted once, however many portions its audience has: our key goes one step on with each story. */
  async #encrypted(socket: Socket, id: string, message: proto.IMessage): Promise<Encrypted> {
    const content = Buffer.from(proto.Message.encode(message).finish());
    if (this.#last?.id === id && this.#last.content.equals(content)) return this.#last;
    const { ciphertext, senderKeyDistributionMessage } = await socket.signalRepository.encryptGroupMessage({
      group: STORIES,
      data: encodeWAMessage(message),
      meId: ownName(socket),
    });
    this.#last = { id, content, ciphertext, distribution: senderKeyDistributionMessage };
    return this.#last;
  }
}

/**
 * A reaction goes to the chat of stories as well, encrypted for each device of the author by itself, and never says
 * who sees our own stories (whatsapp-rust pull requests 563 and 569, after WhatsApp Web's WAWebSendReactionMsgAction).
 * Users of Baileys send it under the key of their own stories instead, to the author and themselves (its issue 1029):
 * phones read either.
 */
async function sendReaction(socket: Socket, { id, message, audience }: OutgoingStory): Promise<SentStory> {
  const own = ownName(socket);
  const found = await socket.getUSyncDevices([...audience, jidNormalizedUser(own)], true, false);
  const devices = found.filter((each) => each.jid !== own && isReached(each));
  const ours = devices.filter(({ jid }) => jidNormalizedUser(jid) === jidNormalizedUser(own));
  const theirs = devices.filter((each) => !ours.includes(each));
  await socket.assertSessions(devices.map(({ jid }) => jid));
  const hidden = { 'decrypt-fail': 'hide' };
  const copy = { deviceSentMessage: { destinationJid: STORIES, message } };
  const participants = [
    ...(await encryptFor(socket, jidsOf(theirs), { data: encodeWAMessage(message), attrs: hidden })),
    ...(await encryptFor(socket, jidsOf(ours), { data: encodeWAMessage(copy), attrs: hidden })),
  ];
  const reaches = participants.some(({ attrs }) => theirs.some(({ jid }) => jid === attrs.jid));
  if (!reaches) throw new KeysUnavailable();
  announceDeparture();
  await socket.sendNode({
    tag: 'message',
    attrs: { id, to: STORIES, type: stanzaType(message) },
    content: [
      { tag: 'participants', attrs: {}, content: participants },
      ...identityFor(socket, participants),
    ],
  });
  return { handed: [], missed: 0 };
}

const jidsOf = (devices: readonly AudienceDevice[]): string[] => devices.map(({ jid }) => jid);

/** Who begins a session with somebody says whose device it is. */
function identityFor({ authState }: Socket, participants: readonly BinaryNode[]): BinaryNode[] {
  const { account } = authState.creds;
  if (!account || !participants.some(startsSession)) return [];
  return [{ tag: 'device-identity', attrs: {}, content: encodeSignedDeviceIdentity(account, true) }];
}

/** The server has given our key to these devices. */
export async function noteKeyHolders(socket: Socket, devices: readonly string[]): Promise<void> {
  if (devices.length === 0) return;
  const { keys } = socket.authState;
  await keys.transaction(async () => {
    const { [STORIES]: held } = await keys.get('sender-key-memory', [STORIES]);
    const more = Object.fromEntries(devices.map((jid) => [jid, true]));
    await keys.set({ 'sender-key-memory': { [STORIES]: { ...held, ...more } } });
  }, STORIES);
}

/** None where the key itself is gone: the next one is another. */
async function keyHolders(socket: Socket): Promise<ReadonlySet<string>> {
  const { signalRepository, authState } = socket;
  if (!(await signalRepository.hasSenderKey({ group: STORIES, meId: ownName(socket) }))) return new Set();
  const { [STORIES]: held = {} } = await authState.keys.get('sender-key-memory', [STORIES]);
  return new Set(Object.keys(held).filter((jid) => held[jid]));
}

interface AudienceDevice {
  jid: string;
  device?: number | undefined;
}

function isReached({ jid, device }: AudienceDevice): boolean {
  return !isHostedLidUser(jid) && !isHostedPnUser(jid) && device !== HOSTED_DEVICE;
}

/**
 * A phone that lacks the key has its companions get it too (whatsapp-rust filter_skdm_targets, after WhatsApp Web's
 * ParticipantStore): the account of a phone that has it is named as a whole.
 */
function withoutKey(devices: readonly AudienceDevice[], holders: ReadonlySet<string>): string[] {
  const phones = new Set(
    devices.filter(({ jid, device }) => !device && holders.has(jid)).map(({ jid }) => jidNormalizedUser(jid)),
  );
  return devices
    .filter(({ jid }) => !holders.has(jid) || !phones.has(jidNormalizedUser(jid)))
    .map(({ jid }) => jid);
}

/** `<to>` with our sender key for each device. */
async function handOut(
  socket: Socket,
  devices: readonly string[],
  { distribution, media }: { distribution: Uint8Array; media: Record<string, string> },
): Promise<BinaryNode[]> {
  if (devices.length === 0) return [];
  const key = { groupId: STORIES, axolotlSenderKeyDistributionMessage: distribution };
  const data = encodeWAMessage({ senderKeyDistributionMessage: key });
  return encryptFor(socket, devices, { data, attrs: media });
}

/** `<to>` for each device; one that it cannot be encrypted for is left out, and said. */
async function encryptFor(
  socket: Socket,
  devices: readonly string[],
  { data, attrs }: { data: Uint8Array; attrs: Record<string, string> },
): Promise<BinaryNode[]> {
  const nodes = devices.map(async (jid): Promise<BinaryNode[]> => {
    try {
      const { type, ciphertext } = await socket.signalRepository.encryptMessage({ jid, data });
      const enc = { tag: 'enc', attrs: { v: '2', type, ...attrs }, content: ciphertext };
      return [{ tag: 'to', attrs: { jid }, content: [enc] }];
    } catch (error) {
      noteUnreached(jid, error);
      return [];
    }
  });
  return (await Promise.all(nodes)).flat();
}

function startsSession({ content }: BinaryNode): boolean {
  return Array.isArray(content) && content.some(({ attrs }) => attrs.type === 'pkmsg');
}

/** Stories go by LID where the account has one, whatever names the audience has (messages-send.js `relayMessage`). */
function ownName({ authState }: Socket): string {
  const { me } = authState.creds;
  return me?.lid ?? me?.id ?? '';
}

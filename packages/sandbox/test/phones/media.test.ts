import { createHash, randomBytes } from 'node:crypto';
import type { BinaryNode } from 'baileys';
import { decryptMediaRetryData, encryptMediaRetryRequest, proto } from 'baileys';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mediaOf } from '../../src/phones/message-content.ts';
import type { Phone } from '../../src/phones/phone.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox.ts';
import { Client } from '../network/baileys-client.ts';

let sandbox: Sandbox;
let alice: Phone;
let bob: Phone;
beforeEach(async () => {
  sandbox = await startSandbox({ companionRegRefresh: 'never' });
  alice = await sandbox.createPhone({ number: '5511999990001', name: 'Alice' });
  bob = await sandbox.createPhone({ number: '5511999990002', name: 'Bob' });
});
afterEach(async () => {
  const problems = [...alice.problems, ...bob.problems];
  await sandbox.stop();
  expect(problems).toEqual([]);
});

function picture(): Promise<Buffer> {
  return sharp({ create: { width: 320, height: 200, channels: 3, background: '#206080' } })
    .jpeg()
    .toBuffer();
}

describe('media between phones', () => {
  test('arrives byte for byte in every kind', async () => {
    const jpeg = await picture();
    const file = randomBytes(50_000);
    const sent = [
      [await alice.sendImage(bob, { bytes: jpeg, caption: 'a picture' }), jpeg, 'image'],
      [await alice.sendVideo(bob, { bytes: file, seconds: 3 }), file, 'video'],
      [await alice.sendVoice(bob, { bytes: file, seconds: 2 }), file, 'voice'],
      [await alice.sendAudio(bob, { bytes: file }), file, 'audio'],
      [await alice.sendDocument(bob, { bytes: file, fileName: 'a.pdf', caption: 'read' }), file, 'document'],
      [await alice.sendSticker(bob, { bytes: file }), file, 'sticker'],
      [await alice.sendImage(bob, { bytes: jpeg, viewOnce: true }), jpeg, 'image'],
    ] as const;
    for (const [{ id }, bytes, kind] of sent) {
      const got = await bob.waitForMessage((message) => message.id === id);
      expect(got.kind).toBe(kind);
      expect((await bob.downloadMedia(got)).equals(bytes)).toBe(true);
    }
    const [image, , voice, , document] = bob.inbox;
    expect(image?.message.imageMessage).toMatchObject({ width: 320, height: 200, mimetype: 'image/jpeg' });
    expect(image?.message.imageMessage?.jpegThumbnail?.length).toBeGreaterThan(100);
    expect(image?.text).toBe('a picture');
    expect(voice?.message.audioMessage?.waveform).toHaveLength(64);
    expect(document?.text).toBe('read');
    expect(sandbox.cdn.log.filter(({ method }) => method === 'POST')).toHaveLength(7);
  });

  test('is refused when the CDN gives other bytes or none', async () => {
    const { id } = await alice.sendDocument(bob, { bytes: randomBytes(1000), fileName: 'x.bin' });
    const got = await bob.waitForMessage((message) => message.id === id);
    const path = mediaOf(got.message)?.content.directPath ?? '';
    sandbox.cdn.corrupt(path);
    await expect(bob.downloadMedia(got)).rejects.toThrow(/SHA-256/);
    sandbox.cdn.expire(path, 410);
    await expect(bob.downloadMedia(got)).rejects.toThrow('410');
    sandbox.cdn.restore(path);
    expect(await bob.downloadMedia(got)).toHaveLength(1000);
  });

  test('may name another host in its url', async () => {
    const url = 'https://169.254.169.254/v/t62.7118-24/1_n.enc';
    await alice.sendImage(bob, { bytes: randomBytes(10), url });
    const got = await bob.waitForMessage((message) => message.kind === 'image');
    expect(got.message.imageMessage?.url).toBe(url);
    expect(got.message.imageMessage?.directPath).toMatch(/^\/v\/t62/);
  });
});

describe('a media retry of a companion', () => {
  let companion: Client;
  let id: string;
  let mediaKey: Uint8Array;
  const bytes = randomBytes(5000);

  beforeEach(async () => {
    companion = new Client({ url: sandbox.url, rootPublic: Buffer.from(sandbox.rootKey, 'hex') }).connect();
    await companion.linkTo(bob);
    await alice.sendDocument(bob, { bytes, fileName: 'a.bin' });
    const got = await companion.until('the document', () =>
      companion.messages.find((message) => message.message?.documentMessage),
    );
    id = got.key.id ?? '';
    mediaKey = got.message?.documentMessage?.mediaKey ?? new Uint8Array();
    sandbox.cdn.expireAll(410);
  });
  afterEach(() => companion.end());

  /** Asks as Baileys does and gives the phone's answer as raw stanza. */
  async function ask(): Promise<BinaryNode> {
    const answer = new Promise<BinaryNode>((resolve) => {
      companion.socket.ws.on('CB:notification,type:mediaretry', resolve);
    });
    const me = companion.auth.creds.me?.id ?? '';
    const key = { id, remoteJid: alice.lid, fromMe: false };
    await companion.socket.query(encryptMediaRetryRequest(key, Buffer.from(mediaKey), me) as BinaryNode);
    return answer;
  }

  function child(node: BinaryNode, tag: string): BinaryNode | undefined {
    return Array.isArray(node.content) ? node.content.find((inner) => inner.tag === tag) : undefined;
  }

  function result(node: BinaryNode): proto.MediaRetryNotification {
    const encrypt = child(node, 'encrypt');
    if (!encrypt) throw new Error('the answer has no <encrypt>');
    const part = (tag: string): Uint8Array => child(encrypt, tag)?.content as Uint8Array;
    return decryptMediaRetryData({ ciphertext: part('enc_p'), iv: part('enc_iv') }, mediaKey, id);
  }

  test('gets a new path to the same ciphertext', async () => {
    const answer = await ask();
    expect(answer.attrs).toMatchObject({ id, from: bob.jid });
    expect(child(answer, 'rmr')?.attrs).toMatchObject({ jid: alice.lid, from_me: 'false' });
    const retry = result(answer);
    expect(retry.result).toBe(proto.MediaRetryNotification.ResultType.SUCCESS);
    const object = sandbox.cdn.object(retry.directPath ?? '');
    expect(object?.fault).toEqual({});
    const document = bob.inbox.find((message) => message.id === id)?.message.documentMessage;
    expect(retry.directPath).not.toBe(document?.directPath);
    expect(
      createHash('sha256')
        .update(object?.bytes ?? '')
        .digest(),
    ).toEqual(Buffer.from(document?.fileEncSha256 ?? []));
    expect(bob.mediaRetryRequests).toMatchObject([{ messageId: id, chat: alice.jid, readable: true }]);
  });

  test.each([
    ['not_found', 'NOT_FOUND'],
    ['general_error', 'GENERAL_ERROR'],
    ['decryption_error', 'DECRYPTION_ERROR'],
  ] as const)('answered by %s says %s', async (policy, name) => {
    bob.mediaRetry = policy;
    expect(result(await ask()).result).toBe(proto.MediaRetryNotification.ResultType[name]);
  });

  test('is NOT_FOUND when the phone deleted the file, and an error node when told so', async () => {
    bob.deleteMedia(id);
    expect(result(await ask()).result).toBe(proto.MediaRetryNotification.ResultType.NOT_FOUND);
    bob.mediaRetry = 'error_node';
    expect(child(await ask(), 'error')?.attrs.code).toBe('2');
  });

  test('may stay without an answer', async () => {
    bob.mediaRetry = 'silent';
    void ask();
    await bob.waitForReceipt((receipt) => receipt.type === 'server-error' && receipt.messageId === id);
    await bob.idle();
    expect(bob.mediaRetryRequests).toHaveLength(1);
    expect(sandbox.cdn.log.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });
});

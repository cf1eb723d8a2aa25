import { type BinaryNode, getBinaryNodeChild, proto } from 'baileys';
import type { Encrypted, SignalClient } from '../../src/phones/signal.ts';

/** A Signal client under its name. */
export interface Peer {
  readonly lid: string;
  readonly signal: SignalClient;
}

/** The answer to a pre-key query for the peer. */
export async function bundleOf({ lid, signal }: Peer): Promise<BinaryNode> {
  const upload = await signal.preKeyUpload(1);
  const child = (tag: string): BinaryNode => getBinaryNodeChild(upload, tag) ?? { tag, attrs: {} };
  const [key] = (child('list').content ?? []) as BinaryNode[];
  const content = [child('registration'), child('type'), child('identity'), child('skey')];
  if (key) content.push(key);
  const user: BinaryNode = { tag: 'user', attrs: { jid: lid }, content };
  return { tag: 'iq', attrs: {}, content: [{ tag: 'list', attrs: {}, content: [user] }] };
}

/** What one encrypts for the other; it has not arrived yet. */
export async function write(from: Peer, to: Peer, text: string): Promise<Encrypted> {
  return from.signal.encrypt(to.lid, { conversation: text });
}

/** The text of what one got from the other. Throws when it cannot be read. */
export async function read(to: Peer, from: Peer, { type, ciphertext }: Encrypted): Promise<string> {
  return proto.Message.create(await to.signal.decrypt(from.lid, type, ciphertext)).conversation ?? '';
}

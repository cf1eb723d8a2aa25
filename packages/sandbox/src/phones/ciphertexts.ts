/** What stanzas say of the ciphertexts in them, and ciphertexts that nobody can open. */
import { type BinaryNode, getBinaryNodeChildren, type proto } from 'baileys';
import { deviceOf } from './address-book.ts';
import { editAttribute, encMediaType, kindOf } from './message-content.ts';

/** Changes the last byte of each message's `<enc>`: the MAC no longer fits. Sender keys stay whole. */
export function corruptCiphertexts(content: readonly BinaryNode[], whose: true | 'companions'): void {
  const shared = content.filter(({ tag }) => tag === 'enc');
  const own = content
    .flatMap((node) => getBinaryNodeChildren(node, 'to'))
    .filter(({ attrs }) => whose === true || deviceOf(attrs.jid ?? '') !== 0);
  const encs = shared.length > 0 ? shared : own.flatMap((node) => getBinaryNodeChildren(node, 'enc'));
  for (const { content: bytes } of encs) {
    if (bytes instanceof Uint8Array) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 0xff;
  }
}

/** The attribute of a stanza by which the server knows an edit, a pin, a revoke. */
export function editAttrs(message: proto.IMessage): Record<string, string> {
  const edit = editAttribute(message);
  return edit === undefined ? {} : { edit };
}

/** What an `<enc>` says of the ciphertext in it. */
export function encAttrs(type: string, message: proto.IMessage): Record<string, string> {
  const media = encMediaType(message);
  const hidden = ['reaction', 'pin'].includes(kindOf(message));
  return {
    v: '2',
    type,
    ...(media === undefined ? {} : { mediatype: media }),
    ...(hidden ? { 'decrypt-fail': 'hide' } : {}),
  };
}

import { type BinaryNode, getBinaryNodeChild } from '../library.ts';

/**
 * Takes the devices without keys out of an answer to a question for keys (`<list><user><error/></user></list>`),
 * and says whose they were. The library takes the first of them for a refusal of all (signal.js
 * `parseAndInjectE2ESessions`), so that one member stops a message to a group; whatsmeow goes on with the others
 * (prekeys.go fetchPreKeys, send.go encryptMessageForDevices).
 */
export function dropMissingKeys(frame: BinaryNode): { jid: string; code: string }[] {
  if (frame.tag !== 'iq' || frame.attrs.type !== 'result') return [];
  const list = getBinaryNodeChild(frame, 'list');
  if (!list || !Array.isArray(list.content)) return [];
  // Not by the library's `getBinaryNodeChildren`: it keeps the children that it saw first.
  const missing = list.content.flatMap((user) => {
    const error = user.tag === 'user' ? getBinaryNodeChild(user, 'error') : undefined;
    return error ? [{ user, jid: user.attrs.jid ?? '', code: error.attrs.code ?? '' }] : [];
  });
  if (missing.length > 0) {
    const without = new Set(missing.map(({ user }) => user));
    list.content = list.content.filter((user) => !without.has(user));
  }
  return missing.map(({ jid, code }) => ({ jid, code }));
}

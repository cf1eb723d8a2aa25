import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildBuffer } from '../library.ts';

/** What a device's keys consist of, in bytes (whatsmeow prekeys.go nodeToPreKeyBundle, nodeToPreKey). */
const BUNDLE = { registration: 4, identity: 32 };
const PRE_KEY = { id: 3, value: 32 };
const SIGNED_PRE_KEY = { ...PRE_KEY, signature: 64 };

/**
 * Takes the devices without keys out of an answer to a question for keys (`<list><user><error/></user></list>`),
 * and those whose keys are not whole, and says whose they were. The library takes the first of them for a refusal of
 * all (signal.js `parseAndInjectE2ESessions`), so that one member stops a message to a group; whatsmeow goes on with
 * the others (prekeys.go fetchPreKeys, send.go encryptMessageForDevices).
 */
export function dropMissingKeys(frame: BinaryNode): { jid: string; code: string }[] {
  if (frame.tag !== 'iq' || frame.attrs.type !== 'result') return [];
  const list = getBinaryNodeChild(frame, 'list');
  if (!list || !Array.isArray(list.content) || !list.content.some(isOfKeys)) return [];
  // Not by the library's `getBinaryNodeChildren`: it keeps the children that it saw first.
  const missing = list.content.flatMap((user) => {
    if (user.tag !== 'user' || hasKeys(user)) return [];
    return [{ user, jid: user.attrs.jid ?? '', code: getBinaryNodeChild(user, 'error')?.attrs.code ?? '' }];
  });
  if (missing.length > 0) {
    const without = new Set(missing.map(({ user }) => user));
    list.content = list.content.filter((user) => !without.has(user));
  }
  return missing.map(({ jid, code }) => ({ jid, code }));
}

/** Lists stand in other answers too. */
function isOfKeys(user: BinaryNode): boolean {
  return user.tag === 'user' && ['error', 'identity', 'skey'].some((tag) => getBinaryNodeChild(user, tag));
}

function hasKeys(user: BinaryNode): boolean {
  const signed = getBinaryNodeChild(user, 'skey');
  const once = getBinaryNodeChild(user, 'key');
  if (!user.attrs.jid || getBinaryNodeChild(user, 'error') || !signed) return false;
  return holds(user, BUNDLE) && holds(signed, SIGNED_PRE_KEY) && (!once || holds(once, PRE_KEY));
}

function holds(node: BinaryNode, sizes: Record<string, number>): boolean {
  return Object.entries(sizes).every(([name, size]) => getBinaryNodeChildBuffer(node, name)?.length === size);
}

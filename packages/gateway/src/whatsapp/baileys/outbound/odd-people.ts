import { type BinaryNode, getBinaryNodeChild, jidDecode } from '../library.ts';

/**
 * Takes those whose name is none out of an answer about devices (`<usync><list><user jid><devices/></user></list>`).
 * The library gives up the whole message over one of them (signal.js `extractDeviceJids`).
 */
export function dropOddPeople(frame: BinaryNode): void {
  if (frame.tag !== 'iq' || frame.attrs.type !== 'result') return;
  const list = getBinaryNodeChild(getBinaryNodeChild(frame, 'usync'), 'list');
  if (!list || !Array.isArray(list.content)) return;
  list.content = list.content.filter(
    (user) => !getBinaryNodeChild(user, 'devices') || jidDecode(user.attrs.jid) !== undefined,
  );
}

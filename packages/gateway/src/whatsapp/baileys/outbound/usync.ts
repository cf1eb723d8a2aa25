/**
 * The question about people, `usync` (whatsmeow user.go usync). The library's own (WAUSync) keeps the JID of each
 * answer and loses what it answers: the text of `<contact>`, the other name, what is refused.
 */
import { RequestRefused } from '../../port/errors.ts';
import { assertAnswered } from '../connection/unanswered.ts';
import {
  type BinaryNode,
  getAllBinaryNodeChildren,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  type Socket,
} from '../library.ts';

export interface UsyncQuestion {
  /** `full` asks for everything about few people (whatsmeow GetUserInfo). */
  mode: 'query' | 'full';
  context: 'interactive' | 'background';
  /** What is asked about each: `<contact/>`, `<lid/>`, `<devices version="2"/>`… */
  protocols: BinaryNode[];
  /** `<user>`s. */
  users: BinaryNode[];
}

/** The `<user>`s of the answer. Throws RequestRefused when the server refuses one of the protocols for all. */
export async function askUsync(
  socket: Socket,
  { mode, context, protocols, users }: UsyncQuestion,
): Promise<BinaryNode[]> {
  const attrs = { sid: socket.generateMessageTag(), mode, context, last: 'true', index: '0' };
  const query = { tag: 'query', attrs: {}, content: protocols };
  const list = { tag: 'list', attrs: {}, content: users };
  const answer: BinaryNode = await socket.query({
    tag: 'iq',
    attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'usync' },
    content: [{ tag: 'usync', attrs, content: [query, list] }],
  });
  assertAnswered();
  const found = getBinaryNodeChild(answer, 'usync');
  for (const protocol of getAllBinaryNodeChildren(getBinaryNodeChild(found, 'result') ?? NOTHING)) {
    const error = getBinaryNodeChild(protocol, 'error');
    if (error) throw new RequestRefused(Number(error.attrs.code), error.attrs.text ?? 'refused');
  }
  return getBinaryNodeChildren(getBinaryNodeChild(found, 'list'), 'user');
}

const NOTHING: BinaryNode = { tag: 'result', attrs: {} };

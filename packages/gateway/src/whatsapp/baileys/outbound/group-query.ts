import { assertAnswered } from '../connection/unanswered.ts';
import type { BinaryNode, Socket } from '../library.ts';

/** Whom questions are for that are about no group yet, or about all. */
export const GROUPS = '@g.us';

/** A question or order to the group server, `w:g2` (whatsmeow group.go sendGroupIQ). A refusal is thrown. */
export async function groupQuery(
  socket: Socket,
  to: string,
  type: 'get' | 'set',
  command: BinaryNode,
): Promise<BinaryNode> {
  const answer = await socket.query({ tag: 'iq', attrs: { to, type, xmlns: 'w:g2' }, content: [command] });
  assertAnswered();
  return answer;
}

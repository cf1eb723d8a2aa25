/** What the server answers to questions of a companion that is not linked yet. */
import type { BinaryNode } from 'baileys';
import { SERVER_JID, stanza } from '../wire/stanza.ts';

export function iqResult(iq: BinaryNode, content?: BinaryNode[]): BinaryNode {
  return stanza('iq', { from: SERVER_JID, type: 'result', id: iq.attrs.id }, content);
}

export function iqError(iq: BinaryNode, code: number, text: string): BinaryNode {
  return stanza('iq', { from: SERVER_JID, type: 'error', id: iq.attrs.id }, [
    stanza('error', { code: String(code), text }),
  ]);
}

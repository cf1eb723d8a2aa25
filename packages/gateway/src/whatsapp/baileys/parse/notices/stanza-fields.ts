import type { Identity } from '../../../port/identity.ts';
import type { BinaryNode } from '../../library.ts';
import { identity, type LidDirectory } from '../message-source.ts';

/** Content as text: the codec gives bytes, or a string where it found the text in its dictionary. */
export function textIn(node: BinaryNode | undefined): string | null {
  const content = node?.content;
  if (typeof content === 'string') return content;
  return content instanceof Uint8Array ? Buffer.from(content).toString('utf8') : null;
}

/** A whole number in an attribute, 0 when it is missing or none. */
export function countOf(value: string | undefined): number {
  const count = Number(value);
  return Number.isInteger(count) && count > 0 ? count : 0;
}

/**
 * Who did it: `participant` of a group stanza, with the other name in `participant_pn` or `participant_lid`
 * beside (whatsmeow group.go parseGroupChange).
 */
export async function participantOf(stanza: BinaryNode, directory: LidDirectory): Promise<Identity | null> {
  const { participant, participant_pn, participant_lid } = stanza.attrs;
  return participant ? identity(participant, participant_pn ?? participant_lid, directory) : null;
}

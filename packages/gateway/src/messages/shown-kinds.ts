/** Which kinds of messages a chat shows as messages of their own. */
import type { MessageKind } from '../whatsapp/port/content.ts';

/**
 * What changes or belongs to another message is none of a chat's, and a protocol message is none at all. A comment
 * becomes what it says (text, image…) once it can be read.
 */
export const NOT_SHOWN: readonly MessageKind[] = [
  'edit',
  'revoke',
  'reaction',
  'poll_vote',
  'poll_option',
  'pin',
  'comment',
  'event_response',
  'protocol',
];

/** Kinds that may have come sealed; of what is undecryptable, an assistant's answers. */
export const SEALED_KINDS: readonly MessageKind[] = [
  'undecryptable',
  'edit',
  'reaction',
  'comment',
  'poll_option',
  'event_response',
];

/** Beside them what could not be read: nothing changes such a message, and a search finds nothing in it. */
export const NOT_READ: readonly MessageKind[] = [...NOT_SHOWN, 'undecryptable'];

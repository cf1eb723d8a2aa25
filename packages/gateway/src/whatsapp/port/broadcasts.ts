import type { Jid } from './identity.ts';
import { STORIES } from './stories.ts';

/** How a message came that its author sent to many at once, each of whom has it in the chat with the author. */
export interface Broadcast {
  /** The list, which its owner alone knows by more than its number; null where only that there was one is told. */
  list: Jid | null;
}

/** Whether it names a broadcast list: not the chat of stories, which is addressed like one. */
export function isBroadcastList(jid: Jid): boolean {
  return jid !== STORIES && jid.endsWith('@broadcast');
}

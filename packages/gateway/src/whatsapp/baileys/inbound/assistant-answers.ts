import type { EventEmitter } from 'node:events';
import type { BinaryNode } from '../library.ts';
import { isAssistantAnswer } from '../parse/assistant-answer.ts';

/**
 * Takes what assistants answer out of the library's way, which refuses each of them as one whose message it does not
 * have (messages-recv.js `handleMessage`). Call after those who look at frames by their tag: it goes before them.
 */
export function takeAssistantAnswers(ws: EventEmitter, take: (stanza: BinaryNode) => void): void {
  ws.prependListener('frame', (frame: unknown) => {
    if (!isMessage(frame) || !isAssistantAnswer(frame)) return;
    const stanza = { ...frame };
    // All listeners but those of `frame` go by the tag: nobody else hears of this one.
    frame.tag = 'assistant-answer';
    take(stanza);
  });
}

function isMessage(frame: unknown): frame is BinaryNode {
  return typeof frame === 'object' && frame !== null && 'tag' in frame && frame.tag === 'message';
}

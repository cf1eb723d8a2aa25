import { type Content, checkedText } from '../content.ts';

/** A text of 1–4096 characters. */
export function textContent(input: { text: string }): Content {
  const text = checkedText('text', input.text);
  return {
    chatState: 'composing',
    async compose({ contextInfo }) {
      // Official clients use the short form for a text that carries nothing else (seen in both
      // whatsmeow's examples and in what phones send), the extended one for quotes and mentions.
      const message = contextInfo ? { extendedTextMessage: { text, contextInfo } } : { conversation: text };
      return { kind: 'text', text, message };
    },
  };
}

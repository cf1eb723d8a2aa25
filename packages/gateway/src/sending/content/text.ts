import { type Content, checkedText } from '../content.ts';
import {
  checkedPreview,
  fetchedPreview,
  firstLink,
  type GivenPreview,
  givenPreview,
} from './link-preview.ts';

export interface TextInput {
  text: string;
  /** Reads the page behind the text's first address and shows what it says. Default: no. */
  link_preview?: boolean;
  /** Shows this instead of what the page says. */
  preview?: GivenPreview;
}

/** A text of 1–4096 characters, with a preview of its first link if asked for. */
export function textContent(input: TextInput): Content {
  const text = checkedText('text', input.text);
  const given = input.preview ? checkedPreview(input.preview, text) : null;
  const link = input.link_preview ? firstLink(text) : null;
  const asked = given !== null || input.link_preview === true;
  return {
    chatState: 'composing',
    async compose({ media, contextInfo }) {
      const preview = given
        ? await givenPreview(media, given)
        : link
          ? await fetchedPreview(media, link)
          : null;
      // Official clients use the short form for a text that carries nothing else (seen in both
      // whatsmeow's examples and in what phones send), the extended one for quotes, mentions and links.
      const message =
        contextInfo || preview
          ? { extendedTextMessage: { text, ...preview, ...(contextInfo ? { contextInfo } : {}) } }
          : { conversation: text };
      return {
        kind: 'text',
        text,
        message,
        ...(asked ? { metadata: { link_preview: preview !== null } } : {}),
      };
    },
  };
}

/** A text story: what it says, and how it looks. */
import { invalidField } from '../errors.ts';
import { type Content, checkedText } from '../sending/content.ts';

export interface TextStoryInput {
  text: string;
  /** `#RRGGBB` or `#AARRGGBB`. */
  background_color?: string;
  text_color?: string;
  /** Number of WhatsApp's typefaces (waE2E.ExtendedTextMessage.FontType). */
  font?: number;
}

const COLOUR = /^#?([0-9a-f]{2})?([0-9a-f]{6})$/i;
/** White on a dark green, where nobody says otherwise: the apps need both to show anything. */
const WHITE = 0xff_ff_ff_ff;
const GREEN = 0xff_1f_7a_6d;

/** A text of the short form has no place for its colours: the apps post the extended one. */
export function textStory({ text, background_color, text_color, font = 0 }: TextStoryInput): Content {
  const checked = checkedText('text', text);
  const backgroundArgb = argb('background_color', background_color) ?? GREEN;
  const textArgb = argb('text_color', text_color) ?? WHITE;
  return {
    chatState: 'composing',
    compose: async () => ({
      kind: 'text',
      text: checked,
      message: { extendedTextMessage: { text: checked, backgroundArgb, textArgb, font } },
    }),
  };
}

function argb(field: string, text: string | undefined): number | null {
  if (text === undefined || text === '') return null;
  const [, alpha = 'ff', rgb] = COLOUR.exec(text.trim()) ?? [];
  if (rgb === undefined) throw invalidField(field, 'must be a colour such as #1f7a6d', text);
  return Number.parseInt(`${alpha}${rgb}`, 16);
}

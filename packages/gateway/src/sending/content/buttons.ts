import { invalidField } from '../../errors.ts';
import { type Content, checkedOptional, checkedRequired, checkedText, LONGEST_CAPTION } from '../content.ts';
import { nativeFlowMessage, nativeFlowNodes } from './native-flow.ts';

export interface ButtonsInput {
  message: string;
  footer?: string;
  buttons: { id: string; display_text: string }[];
}

export const MOST_BUTTONS = 3;
/** As WhatsApp's Cloud API bounds it. */
export const LONGEST_BUTTON_ID = 256;
/** The apps cut what does not fit, at about 20 characters. */
export const LONGEST_BUTTON_TEXT = 256;

/** A text with one to three quick replies. */
export function buttonsContent(input: ButtonsInput): Content {
  const body = checkedText('message', input.message);
  const footer = checkedOptional('footer', input.footer, LONGEST_CAPTION);
  if (input.buttons.length < 1 || input.buttons.length > MOST_BUTTONS) {
    throw invalidField('buttons', `must be 1 to ${MOST_BUTTONS}`);
  }
  const buttons = input.buttons.map(({ id, display_text }, index) => ({
    id: checkedRequired(`buttons.${index}.id`, id, LONGEST_BUTTON_ID),
    display_text: checkedRequired(`buttons.${index}.display_text`, display_text, LONGEST_BUTTON_TEXT),
  }));
  assertDistinct(
    buttons.map(({ id }) => id),
    (index) => `buttons.${index}.id`,
  );
  return {
    chatState: 'composing',
    compose: async ({ contextInfo, now }) => ({
      kind: 'buttons',
      text: body,
      message: nativeFlowMessage(
        { body, footer, buttons: buttons.map((params) => ({ name: 'quick_reply', params })) },
        contextInfo,
      ),
      extraNodes: nativeFlowNodes(now),
    }),
  };
}

/** An answer names what was tapped by its id: two of one id could not be told apart. */
export function assertDistinct(ids: string[], fieldOf: (index: number) => string): void {
  ids.forEach((id, index) => {
    if (ids.indexOf(id) !== index) throw invalidField(fieldOf(index), 'is the id of another one', id);
  });
}

/** What a phone sends when its user taps a button or a row: the choice, quoting the message that offered it. */
import { invalidField } from '../../errors.ts';
import type { WireMessage } from '../../whatsapp/port/wire-message.ts';
import { type Content, checkedOptional, checkedRequired, LONGEST_CAPTION } from '../content.ts';
import { LONGEST_BUTTON_ID } from './buttons.ts';

export interface ButtonsResponseInput {
  selected_button_id: string;
  selected_display_text?: string;
}

/** `DISPLAY_TEXT` of waE2E.ButtonsResponseMessage.Type. */
const DISPLAY_TEXT = 1;
/** `SINGLE_SELECT` of waE2E.ListResponseMessage.ListType. */
const SINGLE_SELECT = 1;

export function buttonsResponseContent(input: ButtonsResponseInput): Content {
  const id = checkedRequired('selected_button_id', input.selected_button_id, LONGEST_BUTTON_ID);
  const text = checkedOptional('selected_display_text', input.selected_display_text, LONGEST_CAPTION);
  return {
    chatState: 'composing',
    compose: async ({ contextInfo }) => ({
      kind: 'buttons_response',
      text: text ?? id,
      message: {
        buttonsResponseMessage: {
          selectedButtonId: id,
          ...(text ? { selectedDisplayText: text, type: DISPLAY_TEXT } : {}),
          contextInfo: answering(contextInfo),
        },
      },
      extraNodes: [{ tag: 'biz', attrs: {}, content: [{ tag: 'buttons_response', attrs: {} }] }],
    }),
  };
}

export interface ListResponseInput {
  selected_row_id: string;
  title?: string;
  description?: string;
}

export function listResponseContent(input: ListResponseInput): Content {
  const selectedRowId = checkedRequired('selected_row_id', input.selected_row_id, LONGEST_BUTTON_ID);
  const title = checkedOptional('title', input.title, LONGEST_CAPTION);
  const description = checkedOptional('description', input.description, LONGEST_CAPTION);
  return {
    chatState: 'composing',
    compose: async ({ contextInfo }) => ({
      kind: 'list_response',
      text: title ?? selectedRowId,
      message: {
        listResponseMessage: {
          ...(title ? { title } : {}),
          ...(description ? { description } : {}),
          listType: SINGLE_SELECT,
          singleSelectReply: { selectedRowId },
          contextInfo: answering(contextInfo),
        },
      },
      // As whatsmeow has it (send.go `getButtonTypeFromMessage`).
      extraNodes: [{ tag: 'biz', attrs: {}, content: [{ tag: 'list_response', attrs: {} }] }],
    }),
  };
}

/** An answer to nothing would be shown as an empty message. */
function answering(contextInfo: WireMessage | null): WireMessage {
  if (contextInfo?.stanzaId) return contextInfo;
  throw invalidField('quoted.participant', 'is required for a message that is not stored, with its body');
}

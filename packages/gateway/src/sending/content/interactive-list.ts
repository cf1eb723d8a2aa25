import { invalidField } from '../../errors.ts';
import { type Content, checkedOptional, checkedRequired, checkedText, LONGEST_CAPTION } from '../content.ts';
import { assertDistinct, LONGEST_BUTTON_ID, LONGEST_BUTTON_TEXT } from './buttons.ts';
import { nativeFlowMessage, nativeFlowNodes } from './native-flow.ts';

export interface InteractiveListInput {
  title?: string;
  body: string;
  footer?: string;
  /** Opens the list. */
  button_text: string;
  sections: { title?: string; rows: { id: string; title: string; description?: string }[] }[];
}

export const MOST_SECTIONS = 10;
/** In all sections together. The Cloud API stops at ten; the apps show more. */
export const MOST_ROWS = 100;

/** A list to choose one row of. */
export function interactiveListContent(input: InteractiveListInput): Content {
  const title = checkedOptional('title', input.title, LONGEST_CAPTION);
  const body = checkedText('body', input.body);
  const footer = checkedOptional('footer', input.footer, LONGEST_CAPTION);
  const buttonText = checkedRequired('button_text', input.button_text, LONGEST_BUTTON_TEXT);
  const sections = checkedSections(input.sections);
  return {
    chatState: 'composing',
    compose: async ({ contextInfo, now }) => ({
      kind: 'list',
      text: body,
      message: nativeFlowMessage(
        {
          title,
          body,
          footer,
          buttons: [{ name: 'single_select', params: { title: buttonText, sections } }],
        },
        contextInfo,
      ),
      extraNodes: nativeFlowNodes(now),
    }),
  };
}

function checkedSections(sections: InteractiveListInput['sections']) {
  if (sections.length < 1 || sections.length > MOST_SECTIONS) {
    throw invalidField('sections', `must be 1 to ${MOST_SECTIONS}`);
  }
  const checked = sections.map(({ title, rows }, at) => ({
    title: checkedOptional(`sections.${at}.title`, title, LONGEST_BUTTON_TEXT) ?? '',
    rows: rows.map((row, index) => {
      const field = `sections.${at}.rows.${index}`;
      return {
        id: checkedRequired(`${field}.id`, row.id, LONGEST_BUTTON_ID),
        title: checkedRequired(`${field}.title`, row.title, LONGEST_BUTTON_TEXT),
        description: checkedOptional(`${field}.description`, row.description, LONGEST_CAPTION) ?? '',
      };
    }),
  }));
  const rows = checked.flatMap((section, at) => section.rows.map(({ id }, index) => ({ id, at, index })));
  if (rows.length < 1 || rows.length > MOST_ROWS) {
    throw invalidField('sections', `must have 1 to ${MOST_ROWS} rows in all`);
  }
  const fields = rows.map(({ at, index }) => `sections.${at}.rows.${index}.id`);
  assertDistinct(
    rows.map(({ id }) => id),
    (index) => fields[index] ?? 'sections',
  );
  return checked;
}

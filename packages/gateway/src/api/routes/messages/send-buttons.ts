/** Tag `messages`: buttons, lists and templates, and what a tap on them sends. */
import { type TSchema, Type } from 'typebox';
import { invalidField } from '../../../errors.ts';
import {
  buttonsContent,
  LONGEST_BUTTON_ID,
  LONGEST_BUTTON_TEXT,
  MOST_BUTTONS,
} from '../../../sending/content/buttons.ts';
import {
  type InteractiveListInput,
  interactiveListContent,
  MOST_ROWS,
  MOST_SECTIONS,
} from '../../../sending/content/interactive-list.ts';
import { buttonsResponseContent, listResponseContent } from '../../../sending/content/responses.ts';
import { type TemplateInput, templateContent } from '../../../sending/content/template.ts';
import { LONGEST_TEXT } from '../../../sending/content.ts';
import { parseQuote, type QuotedInput } from '../../../sending/quoting.ts';
import { optionalWords, refusing, words } from '../../description/stated.ts';
import { base64Text, fileAddress } from '../../request/bounds.ts';
import { OneOf } from '../../schemas.ts';
import { caption, given, longText, type SendRoute, text } from './send-kind.ts';

const footer = caption('Small print, at most 1024 characters');

const distinct = <T extends TSchema>(id: T): T => refusing('the id of another one', id);

export function buttonKinds(route: SendRoute): void {
  route({
    path: '/send/buttons',
    operationId: 'sendButtonsMessage',
    summary: 'Send a text with quick replies',
    fields: {
      message: longText('1–4096 characters'),
      footer,
      buttons: Type.Array(
        Type.Object({ id: distinct(words(LONGEST_BUTTON_ID)), display_text: words(LONGEST_BUTTON_TEXT) }),
        {
          minItems: 1,
          maxItems: MOST_BUTTONS,
          description: 'The apps cut texts after about 20 characters',
        },
      ),
    },
    example: {
      to: '5511999999999',
      message: 'Shall we deliver today?',
      buttons: [
        { id: 'yes', display_text: 'Yes' },
        { id: 'no', display_text: 'No' },
      ],
    },
    content: ({ message, footer, buttons }) => buttonsContent({ message, buttons, ...given({ footer }) }),
    simple: { message: 'Buttons message sent successfully', further: [] },
  });

  route({
    path: '/send/buttons-response',
    operationId: 'sendButtonsResponseMessage',
    summary: 'Send what a tap on a button sends',
    fields: {
      selected_button_id: words(LONGEST_BUTTON_ID),
      selected_display_text: caption('The text on the button'),
    },
    example: {
      to: '5511999999999',
      selected_button_id: 'yes',
      selected_display_text: 'Yes',
      quoted: {
        message_id: '3EB0F8A1B2C3D4E5F6',
        participant: '5511999999999@s.whatsapp.net',
        body: 'Shall we deliver today?',
      },
    },
    stated: { required: ['quoted'] },
    content: ({ selected_button_id, selected_display_text, quoted }) => {
      assertQuoted(quoted);
      return buttonsResponseContent({ selected_button_id, ...given({ selected_display_text }) });
    },
    simple: { message: 'Buttons response sent successfully', further: [] },
  });

  route({
    path: '/send/interactive',
    operationId: 'sendInteractiveListMessage',
    summary: 'Send a list to choose from',
    fields: {
      title: caption('Shown above the text'),
      body: longText('1–4096 characters'),
      footer,
      button_text: words(LONGEST_BUTTON_TEXT, 'Opens the list'),
      sections: refusing(
        'more than 100 rows in all',
        Type.Array(
          Type.Object({
            title: optionalWords(LONGEST_BUTTON_TEXT, 'Title of the section'),
            rows: Type.Array(
              Type.Object({
                id: distinct(words(LONGEST_BUTTON_ID)),
                title: words(LONGEST_BUTTON_TEXT),
                description: caption('Second line'),
              }),
              { minItems: 1, maxItems: MOST_ROWS },
            ),
          }),
          { minItems: 1, maxItems: MOST_SECTIONS },
        ),
      ),
    },
    example: {
      to: '5511999999999',
      body: 'Which size?',
      button_text: 'Sizes',
      sections: [{ title: 'Shirts', rows: [{ id: 's', title: 'Small' }] }],
    },
    content: ({ title, body, footer, button_text, sections }) =>
      interactiveListContent({
        body,
        button_text,
        sections: sections as InteractiveListInput['sections'],
        ...given({ title, footer }),
      }),
    simple: { message: 'Interactive list message sent successfully', further: [] },
  });

  route({
    path: '/send/list-response',
    operationId: 'sendListResponseMessage',
    summary: 'Send what choosing a row sends',
    fields: {
      selected_row_id: words(LONGEST_BUTTON_ID),
      title: caption('Title of the row'),
      description: caption('Its second line'),
    },
    example: {
      to: '5511999999999',
      selected_row_id: 's',
      title: 'Small',
      quoted: {
        message_id: '3EB0F8A1B2C3D4E5F6',
        participant: '5511999999999@s.whatsapp.net',
        body: 'Which size?',
      },
    },
    stated: { required: ['quoted'] },
    content: ({ selected_row_id, title, description, quoted }) => {
      assertQuoted(quoted);
      return listResponseContent({ selected_row_id, ...given({ title, description }) });
    },
    simple: { message: 'List response sent successfully', further: [] },
  });

  route({
    path: '/send/template',
    operationId: 'sendTemplateMessage',
    summary: 'Send a template with buttons',
    takesMedia: true,
    fields: {
      body: words(LONGEST_TEXT, '1–4096 characters'),
      footer,
      header: Type.Optional(
        refusing(
          'a header without what its type says',
          Type.Object({
            type: OneOf(['text', 'image']),
            text: caption('With `text`: the title'),
            image: base64Text('With `image`: base64. Either this or `image_url`'),
            image_url: fileAddress('Public URL of it'),
          }),
        ),
      ),
      buttons: Type.Optional(
        Type.Array(
          refusing(
            'a button without what its type asks for',
            Type.Object({
              type: OneOf(['quick_reply', 'url', 'call']),
              text: words(LONGEST_BUTTON_TEXT),
              id: text('With `quick_reply`'),
              url: Type.Optional(
                refusing('what is no http or https address', Type.String({ description: 'With `url`' })),
              ),
              phone_number: text('With `call`'),
            }),
          ),
          { maxItems: MOST_BUTTONS },
        ),
      ),
    },
    example: {
      number: '5511999999999',
      body: 'Your order is ready',
      buttons: [{ type: 'url', text: 'Track it', url: 'https://example.com/orders/7' }],
    },
    content: ({ body, footer, header, buttons }) =>
      templateContent({ body, ...given({ footer, header, buttons }) } as TemplateInput),
  });
}

function assertQuoted(quoted: unknown): void {
  if (parseQuote(quoted as QuotedInput | undefined) === null)
    throw invalidField('quoted', 'is required: the message that is answered');
}

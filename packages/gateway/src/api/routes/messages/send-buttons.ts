/** Tag "messages": buttons, lists and templates, and what a tap on them sends. */
import { Type } from 'typebox';
import { invalidField } from '../../../errors.ts';
import { buttonsContent, MOST_BUTTONS } from '../../../sending/content/buttons.ts';
import {
  type InteractiveListInput,
  interactiveListContent,
  MOST_ROWS,
  MOST_SECTIONS,
} from '../../../sending/content/interactive-list.ts';
import { buttonsResponseContent, listResponseContent } from '../../../sending/content/responses.ts';
import { type TemplateInput, templateContent } from '../../../sending/content/template.ts';
import { base64Text } from '../../request/bounds.ts';
import { OneOf } from '../../schemas.ts';
import { given, type SendRoute, text } from './send-kind.ts';

const footer = text('Small print, at most 1024 characters');

export function buttonKinds(route: SendRoute): void {
  route({
    path: '/send/buttons',
    operationId: 'sendButtonsMessage',
    summary: 'Send a text with quick replies',
    fields: {
      message: Type.String({ description: '1–4096 characters' }),
      footer,
      buttons: Type.Array(Type.Object({ id: Type.String(), display_text: Type.String() }), {
        minItems: 1,
        maxItems: MOST_BUTTONS,
        description: 'The apps cut texts after about 20 characters',
      }),
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
      selected_button_id: Type.String(),
      selected_display_text: text('The text on the button'),
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
      title: text('Shown above the text'),
      body: Type.String({ description: '1–4096 characters' }),
      footer,
      button_text: Type.String({ description: 'Opens the list' }),
      sections: Type.Array(
        Type.Object({
          title: text('Title of the section'),
          rows: Type.Array(
            Type.Object({ id: Type.String(), title: Type.String(), description: text('Second line') }),
            { minItems: 1, maxItems: MOST_ROWS },
          ),
        }),
        { minItems: 1, maxItems: MOST_SECTIONS },
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
      selected_row_id: Type.String(),
      title: text('Title of the row'),
      description: text('Its second line'),
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
      body: Type.String({ description: '1–4096 characters' }),
      footer,
      header: Type.Optional(
        Type.Object({
          type: OneOf(['text', 'image']),
          text: text('With `text`: the title'),
          image: base64Text('With `image`: base64. Either this or `image_url`'),
          image_url: text('Public URL of it'),
        }),
      ),
      buttons: Type.Optional(
        Type.Array(
          Type.Object({
            type: OneOf(['quick_reply', 'url', 'call']),
            text: Type.String(),
            id: text('With `quick_reply`'),
            url: text('With `url`'),
            phone_number: text('With `call`'),
          }),
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
  if (!quoted) throw invalidField('quoted', 'is required: the message that is answered');
}

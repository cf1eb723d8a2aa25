/** Tag "messages": words. */
import { Type } from 'typebox';
import { textContent } from '../../../sending/content/text.ts';
import type { SendRoute } from './send-kind.ts';

export function textKinds(route: SendRoute): void {
  route({
    path: '/send/text',
    operationId: 'sendText',
    summary: 'Send a text',
    fields: { text: Type.String({ description: '1–4096 characters', examples: ['Hello!'] }) },
    example: { number: '5511999999999', text: 'Hello!', delay: 0, typingDuration: 2 },
    content: (body) => textContent(body),
  });
}

/** Operations below `/send`, with the answer and what the contact's phone makes of it. */
import type { Phone, PhoneMessage } from '@wuts/sandbox';
import { expect } from 'vitest';
import type { Answer, Api, Json } from '../harness.ts';

export interface SendsTo {
  /** Sends: `kind` is the path after `/send/`. */
  sent(kind: string, body: object): Promise<{ answer: Answer; got: PhoneMessage; message: Json }>;
  /** Is refused with the name of the field, and nothing is sent. */
  refused(kind: string, body: object, field: string, code?: string): Promise<Answer>;
}

export function sendsTo(api: Api, contact: Phone): SendsTo {
  const to = contact.number;
  return {
    sent: async (kind, body) => {
      const answer = await api.post(`/send/${kind}`, { to, ...body });
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      const got = await contact.waitForMessage(({ id }) => id === answer.body.message_id);
      return { answer, got, message: got.message };
    },
    refused: async (kind, body, field, code = 'VALIDATION_ERROR') => {
      const before = contact.inbox.length;
      const answer = await api.post(`/send/${kind}`, { to, ...body });
      expect([answer.status, answer.body.error_code]).toEqual([400, code]);
      expect(answer.body.validation.map((each: Json) => each.field)).toContain(field);
      expect(contact.inbox.length).toBe(before);
      return answer;
    },
  };
}

import type { Phone } from '../phones/phone.ts';
import type { Sandbox } from '../sandbox.ts';
import { bytes, number, optionalFlag, optionalText, optionalWord, present, text } from './fields.ts';
import type { Router } from './router.ts';

/** What `GET /` says of these routes. */
export const LIFE_OPERATIONS = [
  'POST /phones/{number}/presence {state: available|unavailable}',
  'POST /phones/{number}/typing {chat, state?: composing|paused, media?: text|audio}',
  'POST /phones/{number}/calls {to, video?}',
  'GET /phones/{number}/calls',
  'POST /phones/{number}/calls/{id} {signal, reason?, latencyMs?}',
  'PATCH /phones/{number}/profile {about?, picture?: base64|null}',
  'POST /phones/{number}/privacy {category, value}',
  'POST /phones/{number}/business {name, address?, email?, description?, website?}',
  'POST /phones/{number}/block {contact, blocked?}',
  'POST /phones/{number}/assistant/questions {text}',
  'POST /phones/{number}/assistant/answers {question, text, pieceOf?, last?}',
  'POST /phones/{number}/reregister',
  'POST /faults/silence|resume {device}',
] as const;

/** Presence, calls, profiles and group settings: what a person does with a phone beside writing. */
export function addLife(
  router: Router,
  sandbox: Sandbox,
  phoneOf: (given: string | undefined) => Phone,
): void {
  const at = (params: Readonly<Record<string, string>>) => phoneOf(params.number);
  router
    .on('POST', '/phones/{number}/presence', ({ params, body }) =>
      at(params).setPresence(optionalWord(body, 'state', ['available', 'unavailable']) ?? 'available'),
    )
    .on('POST', '/phones/{number}/typing', ({ params, body }) =>
      at(params).typing(
        text(body, 'chat'),
        optionalWord(body, 'state', ['composing', 'paused']),
        optionalWord(body, 'media', ['text', 'audio']),
      ),
    )
    .on('POST', '/phones/{number}/calls', ({ params, body }) =>
      at(params).call(text(body, 'to'), { video: optionalFlag(body, 'video') ?? false }),
    )
    .on('GET', '/phones/{number}/calls', ({ params }) => ({ signals: at(params).callSignals }))
    .on('POST', '/phones/{number}/calls/{id}', ({ params, body }) => {
      const phone = at(params);
      const callId = params.id ?? '';
      const signal = text(body, 'signal');
      if (signal === 'relaylatency') phone.sendRelayLatency(callId, number(body, 'latencyMs'));
      else if (signal === 'terminate') phone.hangUp(callId, optionalText(body, 'reason'));
      else phone.signalCall(callId, signal);
    })
    .on('PATCH', '/phones/{number}/profile', async ({ params, body }) => {
      const phone = at(params);
      const about = optionalText(body, 'about');
      if (about !== undefined) await phone.setAbout(about);
      if (body.picture === null) await phone.removePicture();
      else if (body.picture !== undefined) await phone.setPicture(bytes(body, 'picture'));
    })
    .on('POST', '/phones/{number}/business', ({ params, body }) => {
      const website = optionalText(body, 'website');
      return at(params).becomeBusiness({
        name: text(body, 'name'),
        ...present({
          address: optionalText(body, 'address'),
          email: optionalText(body, 'email'),
          description: optionalText(body, 'description'),
        }),
        ...(website === undefined ? {} : { websites: [website] }),
      });
    })
    .on('POST', '/phones/{number}/privacy', ({ params, body }) =>
      at(params).setPrivacy(text(body, 'category'), text(body, 'value')),
    )
    .on('POST', '/phones/{number}/block', ({ params, body }) => {
      const contact = text(body, 'contact');
      return optionalFlag(body, 'blocked') === false
        ? at(params).unblock(contact)
        : at(params).block(contact);
    })
    .on('POST', '/phones/{number}/assistant/questions', ({ params, body }) =>
      at(params).assistant.ask(text(body, 'text')),
    )
    .on('POST', '/phones/{number}/assistant/answers', async ({ params, body }) => {
      const pieceOf = optionalText(body, 'pieceOf');
      const part = { ...present({ pieceOf }), last: optionalFlag(body, 'last') ?? false };
      return { id: await at(params).assistant.answer(text(body, 'question'), text(body, 'text'), part) };
    })
    .on('POST', '/phones/{number}/reregister', async ({ params }) => {
      const { number: digits, jid, lid } = await sandbox.reregister(at(params));
      return { number: digits, jid, lid };
    });
  router
    .on('POST', '/faults/silence', ({ body }) => sandbox.faults.silence(text(body, 'device')))
    .on('POST', '/faults/resume', ({ body }) => sandbox.faults.resume(text(body, 'device')));
}

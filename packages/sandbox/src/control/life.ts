import type { Phone } from '../phones/phone.ts';
import type { Sandbox } from '../sandbox.ts';
import { bytes, number, optionalFlag, optionalNumber, optionalText, optionalWord, text } from './fields.ts';
import { ControlError, type Router } from './router.ts';

/** What `GET /` says of these routes. */
export const LIFE_OPERATIONS = [
  'POST /phones/{number}/presence {state: available|unavailable}',
  'POST /phones/{number}/typing {chat, state?: composing|paused, media?: text|audio}',
  'POST /phones/{number}/calls {to, video?}',
  'GET /phones/{number}/calls',
  'POST /phones/{number}/calls/{id} {signal, reason?, latencyMs?}',
  'PATCH /phones/{number}/profile {about?, picture?: base64|null}',
  'POST /phones/{number}/privacy {category, value}',
  'POST /phones/{number}/block {contact, blocked?}',
  'POST /phones/{number}/reregister',
  'PATCH /groups/{jid} {by, subject?, description?, announcement?, locked?, ephemeral?, picture?: base64|null}',
  'POST /groups/{jid}/join {by, code}',
  'POST /groups/{jid}/leave {by}',
  'POST /groups/{jid}/invite {by}',
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
    .on('POST', '/phones/{number}/privacy', ({ params, body }) =>
      at(params).setPrivacy(text(body, 'category'), text(body, 'value')),
    )
    .on('POST', '/phones/{number}/block', ({ params, body }) => {
      const contact = text(body, 'contact');
      return optionalFlag(body, 'blocked') === false
        ? at(params).unblock(contact)
        : at(params).block(contact);
    })
    .on('POST', '/phones/{number}/reregister', async ({ params }) => {
      const { number: digits, jid, lid } = await sandbox.reregister(at(params));
      return { number: digits, jid, lid };
    });
  addGroupLife(router, phoneOf);
  router
    .on('POST', '/faults/silence', ({ body }) => sandbox.faults.silence(text(body, 'device')))
    .on('POST', '/faults/resume', ({ body }) => sandbox.faults.resume(text(body, 'device')));
}

function addGroupLife(router: Router, phoneOf: (given: string | undefined) => Phone): void {
  router
    .on('PATCH', '/groups/{jid}', async ({ params, body }) => {
      const phone = phoneOf(text(body, 'by'));
      const group = { jid: params.jid ?? '' };
      const subject = optionalText(body, 'subject');
      const announcement = optionalFlag(body, 'announcement');
      const locked = optionalFlag(body, 'locked');
      const ephemeral = optionalNumber(body, 'ephemeral');
      if (subject !== undefined) await phone.setGroupSubject(group, subject);
      if (body.description !== undefined) {
        if (typeof body.description !== 'string')
          throw new ControlError(400, 'description: a text is needed');
        await phone.setGroupDescription(group, body.description);
      }
      if (announcement !== undefined) {
        await phone.setGroupSetting(group, announcement ? 'announcement' : 'not_announcement');
      }
      if (locked !== undefined) await phone.setGroupSetting(group, locked ? 'locked' : 'unlocked');
      if (ephemeral !== undefined) await phone.setGroupEphemeral(group, ephemeral);
      if (body.picture === null) await phone.removePicture(group);
      else if (body.picture !== undefined) await phone.setPicture(bytes(body, 'picture'), group);
    })
    .on('POST', '/groups/{jid}/join', ({ body }) => phoneOf(text(body, 'by')).joinGroup(text(body, 'code')))
    .on('POST', '/groups/{jid}/leave', ({ params, body }) =>
      phoneOf(text(body, 'by')).leaveGroup({ jid: params.jid ?? '' }),
    )
    .on('POST', '/groups/{jid}/invite', async ({ params, body }) => ({
      code: await phoneOf(text(body, 'by')).resetGroupInvite({ jid: params.jid ?? '' }),
    }));
}

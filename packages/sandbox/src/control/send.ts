import type { Phone } from '../phones/phone.ts';
import type { SealableOptions } from '../phones/phone-messages.ts';
import type { SendOptions, SentMessage } from '../phones/sending.ts';
import {
  bytes,
  number,
  optionalFlag,
  optionalNumber,
  optionalText,
  optionalWord,
  present,
  text,
  texts,
} from './fields.ts';
import { ControlError, type JsonObject } from './router.ts';

type Send = (phone: Phone, to: string, body: JsonObject, options: SendOptions) => Promise<SentMessage>;

/** The message types of `POST /phones/{number}/send`, each with the fields it reads. */
const TYPES: Readonly<Record<string, Send>> = {
  text: (phone, to, body, options) =>
    phone.sendText(to, text(body, 'text'), {
      ...options,
      ...present<{ quoted: string; mentions: string[] }>({
        quoted: optionalText(body, 'quoted'),
        mentions: body.mentions === undefined ? undefined : texts(body, 'mentions'),
      }),
    }),
  image: (phone, to, body, options) =>
    phone.sendImage(
      to,
      {
        bytes: bytes(body, 'base64'),
        ...present<{ mimeType: string; caption: string; viewOnce: boolean; url: string }>({
          mimeType: optionalText(body, 'mimeType'),
          caption: optionalText(body, 'caption'),
          viewOnce: optionalFlag(body, 'viewOnce'),
          url: optionalText(body, 'url'),
        }),
      },
      options,
    ),
  video: (phone, to, body, options) =>
    phone.sendVideo(
      to,
      {
        bytes: bytes(body, 'base64'),
        ...present<{ mimeType: string; caption: string; seconds: number }>({
          mimeType: optionalText(body, 'mimeType'),
          caption: optionalText(body, 'caption'),
          seconds: optionalNumber(body, 'seconds'),
        }),
      },
      options,
    ),
  voice: (phone, to, body, options) => phone.sendVoice(to, audio(body), options),
  audio: (phone, to, body, options) => phone.sendAudio(to, audio(body), options),
  document: (phone, to, body, options) =>
    phone.sendDocument(
      to,
      {
        bytes: bytes(body, 'base64'),
        fileName: text(body, 'fileName'),
        ...present<{ mimeType: string; caption: string }>({
          mimeType: optionalText(body, 'mimeType'),
          caption: optionalText(body, 'caption'),
        }),
      },
      options,
    ),
  sticker: (phone, to, body, options) => phone.sendSticker(to, { bytes: bytes(body, 'base64') }, options),
  reaction: (phone, to, body, options) =>
    phone.sendReaction(
      to,
      text(body, 'target'),
      typeof body.emoji === 'string' ? body.emoji : '',
      sealable(body, options),
    ),
  edit: (phone, to, body, options) =>
    phone.sendEdit(to, text(body, 'target'), text(body, 'text'), sealable(body, options)),
  comment: (phone, to, body, options) =>
    phone.sendComment(to, text(body, 'target'), text(body, 'text'), sealable(body, options)),
  revoke: (phone, to, body, options) => phone.sendRevoke(to, text(body, 'target'), options),
  location: (phone, to, body, options) =>
    phone.sendLocation(
      to,
      {
        latitude: number(body, 'latitude'),
        longitude: number(body, 'longitude'),
        ...present<{ name: string; address: string }>({
          name: optionalText(body, 'name'),
          address: optionalText(body, 'address'),
        }),
      },
      options,
    ),
  contact: (phone, to, body, options) =>
    phone.sendContact(to, { name: text(body, 'name'), number: text(body, 'number') }, options),
  poll: (phone, to, body, options) =>
    phone.sendPoll(to, text(body, 'question'), texts(body, 'choices'), {
      ...options,
      ...present<{ selectable: number }>({ selectable: optionalNumber(body, 'selectable') }),
    }),
  event: (phone, to, body, options) =>
    phone.sendEvent(to, { name: text(body, 'name'), startTime: number(body, 'startTime') }, options),
  event_response: (phone, to, body, options) =>
    phone.sendEventResponse(
      to,
      text(body, 'target'),
      optionalWord(body, 'answer', ['going', 'not_going', 'maybe']) ?? 'going',
      options,
    ),
  poll_vote: (phone, to, body, options) =>
    phone.sendPollVote(to, text(body, 'target'), texts(body, 'choices'), options),
};

function sealable(body: JsonObject, options: SendOptions): SealableOptions {
  return { ...options, ...present<{ sealed: boolean }>({ sealed: optionalFlag(body, 'sealed') }) };
}

function audio(body: JsonObject) {
  return {
    bytes: bytes(body, 'base64'),
    ...present<{ mimeType: string; seconds: number }>({
      mimeType: optionalText(body, 'mimeType'),
      seconds: optionalNumber(body, 'seconds'),
    }),
  };
}

/** Sends what the body says: `to`, `type` (default `text`), the type's own fields, `id`, `addressing`, `corrupt`. */
export function sendFromBody(phone: Phone, body: JsonObject): Promise<SentMessage> {
  const type = optionalText(body, 'type') ?? 'text';
  const send = TYPES[type];
  if (!send) throw new ControlError(400, `type: one of ${Object.keys(TYPES).join(', ')}`);
  const options: SendOptions = present<SendOptions>({
    id: optionalText(body, 'id'),
    addressing: optionalWord(body, 'addressing', ['lid', 'pn']),
    corrupt: optionalFlag(body, 'corrupt'),
  });
  return send(phone, text(body, 'to'), body, options);
}

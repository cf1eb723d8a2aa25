/** What some kinds of message say beside their text: for people's programs, so in plain words. */
import type { MessageKind } from '../../whatsapp/port/content.ts';
import { unwrapped } from '../../whatsapp/port/envelopes.ts';
import { STORIES } from '../../whatsapp/port/stories.ts';
import type { WireCodec, WireMessage } from '../../whatsapp/port/wire-message.ts';
import { boundedDetails, MOST_OPTIONS, parseForeignJson } from '../bounds.ts';
import { optionName, pollCreation } from '../polls/poll-secrets.ts';
import type { MessageContext } from '../stored-message.ts';
import { BUSINESS_DETAILS } from './business-details.ts';
import { CALL_DETAILS } from './call-details.ts';
import { member } from './wire-content.ts';
import { integer64, list, number, seconds, text, texts } from './wire-fields.ts';

type Details = Record<string, unknown>;

/**
 * The details of a message by its kind, null for kinds that have none. Member names are those of
 * waE2E.Message (WAWebProtobufsE2E.proto); what a sender left out is null.
 */
export function wireDetails(
  of: { kind: string; chat: string },
  raw: Uint8Array,
  codec: WireCodec,
): Details | null {
  const read = readerOf(of);
  return read && raw.length > 0 ? boundedDetails(read(unwrapped(codec.decode(raw)))) : null;
}

/** Whether messages of the kind have details: for the others nothing need be loaded. */
export function hasDetails(of: { kind: MessageKind; chat: string }): boolean {
  return readerOf(of) !== undefined;
}

type Reader = (message: WireMessage) => Details | null;

/** A text that is a story has a look; all other texts, which are most messages, are not opened for it. */
function readerOf({ kind, chat }: { kind: string; chat: string }): Reader | undefined {
  return kind === 'text' && chat === STORIES ? storyLook : READERS[kind as MessageKind];
}

function storyLook(message: WireMessage): Details | null {
  const shown = member(message, 'extendedTextMessage');
  return (
    shown && {
      background_color: rgb(number(shown, 'backgroundArgb')),
      text_color: rgb(number(shown, 'textArgb')),
      font: number(shown, 'font'),
    }
  );
}

/** The apps do not show how transparent a story's colours are. */
function rgb(argb: number | null): string | null {
  return argb === null ? null : `#${(argb & 0xff_ff_ff).toString(16).padStart(6, '0')}`;
}

/** What is known of the details beside the message's own bytes: since its last edit, or because it was sealed. */
export function detailsInContext({ editedDetails, eventResponse }: MessageContext): Details | null {
  if (editedDetails) return editedDetails;
  return eventResponse && { response: eventResponse.response, extra_guest_count: eventResponse.extraGuests };
}

const READERS: Partial<Record<MessageKind, Reader>> = {
  ...BUSINESS_DETAILS,
  ...CALL_DETAILS,
  album: (message) => {
    const album = member(message, 'albumMessage');
    return {
      expected_images: (album && number(album, 'expectedImageCount')) ?? 0,
      expected_videos: (album && number(album, 'expectedVideoCount')) ?? 0,
    };
  },
  location: (message) => location(member(message, 'locationMessage')),
  live_location: (message) => location(member(message, 'liveLocationMessage')),
  contact: (message) => contacts([member(message, 'contactMessage')]),
  contacts: (message) => contacts(list(member(message, 'contactsArrayMessage'), 'contacts')),
  poll: (message) => poll(message),
  buttons_response: (message) => buttonReply(message),
  list_response: (message) => {
    const reply = member(message, 'listResponseMessage');
    const row = reply && member(reply, 'singleSelectReply');
    return { row_id: text(row, 'selectedRowId'), title: text(reply, 'title') };
  },
  event: (message) => event(member(message, 'eventMessage')),
  event_invite: (message) => {
    const invite = member(message, 'eventInviteMessage');
    return {
      event_id: text(invite, 'eventId'),
      name: text(invite, 'eventTitle'),
      start_time: seconds(invite, 'startTime'),
      end_time: seconds(invite, 'endTime'),
      join_link: text(invite, 'callLink'),
      canceled: invite?.isCanceled === true,
    };
  },
  edit: (message) => edited(member(message, 'protocolMessage')),
  group_invite: (message) => {
    const invite = member(message, 'groupInviteMessage');
    return {
      group_jid: text(invite, 'groupJid'),
      group_name: text(invite, 'groupName'),
      invite_code: text(invite, 'inviteCode'),
      // Seconds, as joining by it needs it.
      invite_expiration: integer64(invite, 'inviteExpiration'),
    };
  },
  newsletter_invite: (message) => {
    const invite = member(message, 'newsletterAdminInviteMessage');
    return {
      newsletter_jid: text(invite, 'newsletterJid'),
      newsletter_name: text(invite, 'newsletterName'),
      invite_expiration: integer64(invite, 'inviteExpiration'),
    };
  },
  newsletter_follow_invite: (message) => {
    const invite = member(message, 'newsletterFollowerInviteMessageV2');
    return { newsletter_jid: text(invite, 'newsletterJid'), newsletter_name: text(invite, 'newsletterName') };
  },
  sticker_pack: (message) => {
    const pack = member(message, 'stickerPackMessage');
    return {
      name: text(pack, 'name'),
      publisher: text(pack, 'publisher'),
      description: text(pack, 'packDescription'),
      sticker_count: list(pack, 'stickers').length,
      tray_icon: text(pack, 'trayIconFileName'),
      stickers: list(pack, 'stickers').map((sticker) => ({
        file_name: text(sticker, 'fileName'),
        emojis: texts(sticker, 'emojis'),
        animated: sticker.isAnimated === true,
        mime_type: text(sticker, 'mimetype'),
      })),
    };
  },
  poll_result: (message) => {
    const result =
      member(message, 'pollResultSnapshotMessage') ?? member(message, 'pollResultSnapshotMessageV3');
    const options = list(result, 'pollVotes').slice(0, MOST_OPTIONS);
    return {
      name: text(result, 'name'),
      options: options.map((option) => ({
        name: text(option, 'optionName'),
        votes: integer64(option, 'optionVoteCount') ?? 0,
      })),
    };
  },
};

function location(place: WireMessage | null): Details | null {
  return (
    place && {
      latitude: number(place, 'degreesLatitude'),
      longitude: number(place, 'degreesLongitude'),
      name: text(place, 'name'),
      address: text(place, 'address'),
      url: text(place, 'url'),
    }
  );
}

function contacts(cards: (WireMessage | null)[]): Details {
  return {
    contacts: cards.map((card) => ({ display_name: text(card, 'displayName'), vcard: text(card, 'vcard') })),
  };
}

function poll(message: WireMessage): Details | null {
  const made = pollCreation(message);
  if (!made) return null;
  return {
    name: text(made, 'name'),
    options: list(made, 'options')
      .slice(0, MOST_OPTIONS)
      .map((option) => optionName(option)),
    selectable_count: number(made, 'selectableOptionsCount'),
  };
}

function event(made: WireMessage | null): Details | null {
  return (
    made && {
      name: text(made, 'name'),
      description: text(made, 'description'),
      start_time: seconds(made, 'startTime'),
      end_time: seconds(made, 'endTime'),
      location: location(member(made, 'location')),
      join_link: text(made, 'joinLink'),
      canceled: made.isCanceled === true,
    }
  );
}

/** Of what may be edited, a calendar event says more than its text. */
function edited(change: WireMessage | null): Details | null {
  const content = change && member(change, 'editedMessage');
  if (!content) return null;
  const inner = unwrapped(content);
  return event(member(inner, 'eventMessage')) ?? poll(inner);
}

function buttonReply(message: WireMessage): Details | null {
  const plain = member(message, 'buttonsResponseMessage');
  if (plain) return { button_id: text(plain, 'selectedButtonId'), title: text(plain, 'selectedDisplayText') };
  const template = member(message, 'templateButtonReplyMessage');
  if (template)
    return { button_id: text(template, 'selectedId'), title: text(template, 'selectedDisplayText') };
  const flow = member(message, 'interactiveResponseMessage');
  return flow && flowReply(flow);
}

/** A tap in a native flow tells what was chosen as JSON: `{"id": …}` of a quick reply, a row or a form. */
function flowReply(flow: WireMessage): Details {
  const reply = member(flow, 'nativeFlowResponseMessage');
  const params = parameters(text(reply, 'paramsJson'));
  return {
    button_id: text(params, 'id'),
    title: text(member(flow, 'body'), 'text'),
    flow: text(reply, 'name'),
    params,
  };
}

/** A sender writes this: anything but an object is nothing. */
function parameters(json: string | null): WireMessage | null {
  const value = json === null ? null : parseForeignJson(json);
  return typeof value === 'object' && !Array.isArray(value) ? (value as WireMessage) : null;
}

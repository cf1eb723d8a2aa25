import type { Newsletter } from '../newsletters/newsletters.ts';
import type { AccountChanges } from '../phones/account/account-changes.ts';
import type { Phone } from '../phones/phone.ts';
import type { Sandbox } from '../sandbox.ts';
import {
  bytes,
  number,
  optionalFlag,
  optionalNumber,
  optionalText,
  optionalWord,
  present,
  text,
} from './fields.ts';
import { ControlError, type JsonObject, type Router } from './router.ts';

type Change = (account: AccountChanges, body: JsonObject) => Promise<void>;

/** What can be done on a phone that its companions hear of, by the word in `change`. */
const CHANGES: Record<string, Change> = {
  pin: (account, body) => account.pinChat(text(body, 'chat'), optionalFlag(body, 'on')),
  mute: (account, body) =>
    account.muteChat(text(body, 'chat'), body.on === false ? null : optionalNumber(body, 'until')),
  archive: (account, body) => account.archiveChat(text(body, 'chat'), optionalFlag(body, 'on')),
  read: (account, body) => account.markChatRead(text(body, 'chat'), optionalFlag(body, 'on')),
  clear: (account, body) => account.clearChat(text(body, 'chat')),
  delete: (account, body) => account.deleteChat(text(body, 'chat')),
  delete_for_me: (account, body) => account.deleteForMe(text(body, 'message')),
  contact: (account, body) =>
    body.on === false
      ? account.removeContact(text(body, 'contact'))
      : account.saveContact(text(body, 'contact'), text(body, 'fullName'), optionalText(body, 'firstName')),
  contacts: (account, body) =>
    account.importContacts(
      Array.from({ length: number(body, 'count') }, (_, index) => ({
        jid: `5521${900_000_000 + index}@s.whatsapp.net`,
        fullName: `Contact ${index}`,
      })),
    ),
  contact_secret: (account, body) =>
    account.setContactSecret(body.on === false ? null : bytes(body, 'secret')),
  unarchive_chats: (account, body) => account.setUnarchiveChats(optionalFlag(body, 'on') ?? true),
  mute_status: (account, body) => account.muteStatusOf(text(body, 'contact'), optionalFlag(body, 'on')),
  label: (account, body) =>
    account.editLabel({
      id: text(body, 'label'),
      ...present({
        name: optionalText(body, 'name'),
        color: optionalNumber(body, 'color'),
        deleted: optionalFlag(body, 'on') === false ? true : undefined,
      }),
    }),
  label_chat: (account, body) =>
    account.labelChat(text(body, 'chat'), text(body, 'label'), optionalFlag(body, 'on')),
  label_message: (account, body) =>
    account.labelMessage(
      text(body, 'chat'),
      text(body, 'message'),
      text(body, 'label'),
      optionalFlag(body, 'on'),
    ),
  follow: (account, body) =>
    body.on === false
      ? account.unfollowNewsletter(text(body, 'newsletter'))
      : account.followNewsletter(text(body, 'newsletter')),
  mute_newsletter: (account, body) =>
    account.muteNewsletter(text(body, 'newsletter'), optionalFlag(body, 'on')),
};
const WORDS = Object.keys(CHANGES);

/** What `GET /` says of these routes. */
export const ACCOUNT_OPERATIONS = [
  `POST /phones/{number}/account {change: ${WORDS.join('|')}, on?, …}`,
  'POST /phones/{number}/past {chat, count, until?}',
  'POST /newsletters {title}',
  'POST /newsletters/{jid}/update {post, views?, reactions?}',
] as const;

/** Changes of the account, its past, and channels. */
export function addAccount(
  router: Router,
  sandbox: Sandbox,
  phoneOf: (given: string | undefined) => Phone,
): void {
  const { newsletters } = sandbox.network;
  router
    .on('POST', '/phones/{number}/account', ({ params, body }) => {
      const change = CHANGES[optionalWord(body, 'change', WORDS) ?? ''];
      if (!change) throw new ControlError(400, `change: one of ${WORDS.join(', ')}`);
      return change(phoneOf(params.number).account, body);
    })
    .on('POST', '/phones/{number}/past', async ({ params, body }) => {
      const phone = phoneOf(params.number);
      const past = await phone.past.fill(
        text(body, 'chat'),
        number(body, 'count'),
        optionalNumber(body, 'until'),
      );
      return {
        messages: past.map(({ id, timestamp, fromMe, text: words }) => ({
          id,
          timestamp,
          fromMe,
          text: words,
        })),
      };
    })
    .on('POST', '/newsletters', ({ body }) => shown(newsletters.create(text(body, 'title'))))
    .on('POST', '/newsletters/{jid}/update', ({ params, body }) => {
      newsletters.liveUpdate(params.jid ?? '', [
        {
          serverId: number(body, 'post'),
          ...present({ views: optionalNumber(body, 'views'), reactions: counts(body.reactions) }),
        },
      ]);
    });
}

function shown({ jid, title }: Newsletter) {
  return { jid, title };
}

function counts(value: unknown): Record<string, number> | undefined {
  if (value === undefined) return undefined;
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  if (entries.length === 0 || entries.some(([, count]) => typeof count !== 'number')) {
    throw new ControlError(400, 'reactions: numbers by emoji are needed');
  }
  return Object.fromEntries(entries) as Record<string, number>;
}

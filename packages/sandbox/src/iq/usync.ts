import type { BinaryNode } from 'baileys';
import { deviceListHash } from '../accounts/device-changes.ts';
import { hides } from '../accounts/privacy.ts';
import type { NetworkServices } from '../services.ts';
import type { Account, Business } from '../state/directory.ts';
import { alternateJid, jidIn, lidJid, modeOf, type ParsedJid, parseJid, phoneJid } from '../state/jid.ts';
import { childNamed, childrenNamed, childrenOf, stanza, textOf, timestamp } from '../wire/stanza.ts';
import { BAD_REQUEST, type IqHandler } from './answer.ts';

interface Subject {
  /** The JID the answer carries. */
  readonly jid: string;
  readonly asked: ParsedJid;
  readonly account: Account | undefined;
  /** What the client wrote into `<contact>`, given back. */
  readonly contactText: string | undefined;
}

/**
 * `usync`: is a number on WhatsApp (`contact`), which devices does an account have (`devices`), what is its
 * LID (`lid`), and small things (whatsmeow user.go usync, IsOnWhatsApp, GetUserInfo; Baileys WAUSync).
 * The signed key index list is left out: only the phone could sign it, and clients here do not ask for it.
 */
const usync: IqHandler = ({ network, sender, iq }) => {
  const usyncNode = childNamed(iq, 'usync');
  const list = childNamed(usyncNode, 'list');
  if (!usyncNode || !list) return { error: BAD_REQUEST };
  const protocols = childrenOf(childNamed(usyncNode, 'query'));
  const byLid = protocols.some(({ tag, attrs }) => tag === 'contact' && attrs.addressing_mode === 'lid');
  const withoutLid = protocols.filter(({ tag }) => tag !== 'lid');
  const hidesLid = ({ account }: Subject): boolean =>
    account !== undefined && sender.address.device !== 0 && network.orders.hidingOtherName.has(account.user);
  const users: BinaryNode[] = [];
  for (const user of childrenNamed(list, 'user')) {
    const subject = subjectOf(network, user);
    if (subject) {
      const shown = hidesLid(subject) ? withoutLid : protocols;
      users.push(answer(subject, shown, { byLid, asker: sender.account }));
    }
  }
  const { sid, mode, context } = usyncNode.attrs;
  return {
    content: [
      stanza('usync', { sid, mode, context, index: '0', last: 'true' }, [
        stanza(
          'result',
          {},
          protocols.map(({ tag, attrs }) => stanza(tag, { version: attrs.version })),
        ),
        stanza('list', {}, users),
      ]),
    ],
  };
};

export const usyncHandlers: ReadonlyArray<readonly [string, IqHandler]> = [['usync', usync]];

function subjectOf(network: NetworkServices, user: BinaryNode): Subject | undefined {
  const asked = parseJid(user.attrs.jid ?? childNamed(user, 'lid')?.attrs.jid);
  if (asked) {
    const account = network.directory.resolve(asked);
    const jid = account ? jidIn(modeOf(asked), account) : `${asked.user}@${asked.server}`;
    return { jid, asked, account, contactText: undefined };
  }
  const contactText = textOf(childNamed(user, 'contact'));
  const digits = contactText?.split('@', 1)[0]?.replace(/\D/g, '');
  if (!digits) return undefined;
  const parsed = { user: digits, server: 's.whatsapp.net', device: 0 };
  const account = network.directory.byUser(digits);
  return { jid: phoneJid({ user: digits }), asked: parsed, account, contactText };
}

function answer(
  subject: Subject,
  protocols: readonly BinaryNode[],
  { byLid, asker }: { byLid: boolean; asker: Account },
): BinaryNode {
  const content = protocols.flatMap((protocol) => protocolAnswer(subject, protocol, asker) ?? []);
  const { account, jid } = subject;
  if (byLid && account) {
    return stanza('user', { jid: jidIn('lid', account), pn_jid: alternateJid('lid', account) }, content);
  }
  return stanza('user', { jid }, content);
}

function protocolAnswer(subject: Subject, { tag }: BinaryNode, asker: Account): BinaryNode | undefined {
  const { account, asked, contactText } = subject;
  const shows = (what: 'profile' | 'status') => account !== undefined && !hides(account, what, asker);
  switch (tag) {
    case 'contact': {
      const text = contactText === undefined ? undefined : Buffer.from(contactText, 'utf8');
      return stanza('contact', { type: account ? 'in' : 'out' }, text);
    }
    case 'devices':
      return stanza('devices', {}, deviceAnswer(subject));
    case 'lid':
      // Asked by phone number only: clients take the user's JID for the phone number of the pair.
      return account?.lid && asked.server !== 'lid' ? stanza('lid', { val: lidJid(account) }) : undefined;
    case 'status':
      if (!account) return undefined;
      // What is hidden is an empty text with this code (Baileys USyncStatusProtocol.js).
      return shows('status')
        ? stanza('status', { t: String(account.createdAt) }, Buffer.from(account.about, 'utf8'))
        : stanza('status', { t: '0', code: '401' });
    case 'disappearing_mode':
      return account ? timerAnswer(account) : undefined;
    case 'business':
      return account?.business ? stanza('business', {}, nameOf(account.business)) : undefined;
    case 'picture':
      return shows('profile') && account?.picture ? stanza('picture', { id: account.picture.id }) : undefined;
    case 'username':
    case 'bot':
      return undefined;
    default:
      return undefined;
  }
}

/** The attributes are those that whatsmeow user.go parseVerifiedNameContent reads. */
function nameOf({ certificate }: Business): BinaryNode[] {
  if (!certificate) return [];
  const attrs = {
    v: '1',
    verified_level: 'unknown',
    host_storage: '1',
    actual_actors: '1',
    privacy_mode_ts: '0',
  };
  return [stanza('verified_name', attrs, certificate)];
}

function timerAnswer({ defaultTimer: { seconds, at } }: Account): BinaryNode {
  return stanza('disappearing_mode', { duration: String(seconds), t: String(at) });
}

function deviceAnswer({ account, asked }: Subject): BinaryNode[] {
  if (!account) return [stanza('device-list', {})];
  const devices = [...account.devices.values()].map(({ address, keyIndex }) =>
    stanza('device', {
      id: String(address.device),
      'key-index': address.device === 0 ? undefined : String(keyIndex),
    }),
  );
  return [
    stanza('device-list', { hash: deviceListHash(modeOf(asked), account) }, devices),
    stanza('key-index-list', { ts: timestamp() }),
  ];
}

/** What WhatsApp says of a person (`usync`), and what a business says of itself (`w:biz`). */
import type { BusinessProfile, ContactProfile, VerifiedName } from '../../port/contacts.ts';
import {
  type BinaryNode,
  getAllBinaryNodeChildren,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  jidDecode,
  jidNormalizedUser,
  proto,
} from '../library.ts';
import { decodeProtobuf } from './bounded-protobuf.ts';
import { countOf, textIn } from './notices/stanza-fields.ts';

/** Devices of one account: WhatsApp allows some ten. */
const MOST_DEVICES = 100;

/** From the `<user>` of an answer (whatsmeow user.go GetUserInfo); the business profile is another question. */
export function profileIn(user: BinaryNode): Omit<ContactProfile, 'business'> {
  const status = getBinaryNodeChild(user, 'status');
  const about = textIn(status) || null;
  const lid = getBinaryNodeChild(user, 'lid')?.attrs.val;
  return {
    about,
    aboutSetAt: about === null ? null : secondsAsMs(status?.attrs.t),
    pictureId: getBinaryNodeChild(user, 'picture')?.attrs.id ?? null,
    devices: devicesIn(user),
    lid: lid ? jidNormalizedUser(lid) : null,
    verifiedName: verifiedNameIn(getBinaryNodeChild(user, 'business')),
  };
}

/** Device 0, the phone, is written without its number. */
function devicesIn(user: BinaryNode): string[] {
  const named = jidDecode(user.attrs.jid);
  const list = getBinaryNodeChild(getBinaryNodeChild(user, 'devices'), 'device-list');
  if (!named) return [];
  return getBinaryNodeChildren(list, 'device')
    .slice(0, MOST_DEVICES)
    .map(({ attrs }) => countOf(attrs.id))
    .map((id) => `${named.user}${id === 0 ? '' : `:${id}`}@${named.server}`);
}

/** The certificate of a name (whatsmeow user.go parseVerifiedNameContent). One that cannot be read is none. */
function verifiedNameIn(business: BinaryNode | undefined): VerifiedName | null {
  const node = getBinaryNodeChild(business, 'verified_name');
  if (!(node?.content instanceof Uint8Array)) return null;
  try {
    const certificate = decodeProtobuf(proto.VerifiedNameCertificate, node.content);
    const encoded = certificate.details ?? new Uint8Array(0);
    const details = decodeProtobuf(proto.VerifiedNameCertificate.Details, encoded);
    const { attrs } = node;
    return {
      name: details.verifiedName || null,
      issuer: details.issuer || null,
      serial: details.serial ? String(details.serial) : null,
      issuedAt: details.issueTime ? Number(details.issueTime) : null,
      details: encoded,
      signature: certificate.signature ?? null,
      serverSignature: certificate.serverSignature ?? null,
      level: attrs.verified_level ?? '',
      version: countOf(attrs.v),
      hostStorage: countOf(attrs.host_storage),
      actualActors: countOf(attrs.actual_actors),
      privacyModeAt: secondsAsMs(attrs.privacy_mode_ts),
    };
  } catch {
    return null;
  }
}

/**
 * From `<business_profile>` (whatsmeow user.go parseBusinessProfile; description and websites as Baileys chats.js
 * getBusinessProfile reads them). Null when it says nothing beside the JID.
 */
export function businessIn(answer: BinaryNode | undefined): BusinessProfile | null {
  const profile = getBinaryNodeChild(answer, 'profile');
  if (!profile || getAllBinaryNodeChildren(profile).length === 0) return null;
  const text = (tag: string) => textIn(getBinaryNodeChild(profile, tag)) ?? '';
  const within = (tag: string) => getAllBinaryNodeChildren(getBinaryNodeChild(profile, tag) ?? NOTHING);
  return {
    jid: profile.attrs.jid ? jidNormalizedUser(profile.attrs.jid) : null,
    address: text('address'),
    email: text('email'),
    description: text('description'),
    websites: getBinaryNodeChildren(profile, 'website').flatMap((website) => textIn(website) ?? []),
    categories: within('categories').map((each) => ({ id: each.attrs.id ?? '', name: textIn(each) ?? '' })),
    options: Object.fromEntries(within('profile_options').map((each) => [each.tag, textIn(each) ?? ''])),
    timezone: getBinaryNodeChild(profile, 'business_hours')?.attrs.timezone ?? '',
    hours: within('business_hours').flatMap(({ tag, attrs }) =>
      tag === 'business_hours_config'
        ? [
            {
              day: attrs.day_of_week ?? '',
              mode: attrs.mode ?? '',
              open: attrs.open_time ?? '',
              close: attrs.close_time ?? '',
            },
          ]
        : [],
    ),
  };
}

const NOTHING: BinaryNode = { tag: 'nothing', attrs: {} };

function secondsAsMs(seconds: string | undefined): number | null {
  const count = countOf(seconds);
  return count === 0 ? null : count * 1000;
}

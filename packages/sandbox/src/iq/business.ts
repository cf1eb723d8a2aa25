import type { BinaryNode } from 'baileys';
import { bytesOf, childNamed, childrenNamed, childrenOf, stanza } from '../wire/stanza.ts';
import { BAD_REQUEST, FORBIDDEN, type IqHandler, NOT_ACCEPTABLE, NOT_IMPLEMENTED } from './answer.ts';

/** How a day may be open (zapo protocol/business.ts: another one is `not-acceptable`). */
const MODES = new Set(['specific_hours', 'open_24h', 'appointment_only']);
const MOST_WEBSITES = 2;

/**
 * `w:biz`: what a business tells of itself. Read with `<business_profile><profile jid/>` (whatsmeow user.go
 * GetBusinessProfile); who is no business has nothing but the `jid`. Written in parts with `mutation_type="delta"`
 * (Baileys business.js; of who is no business it is refused, by which code captures do not show), and
 * `<verified_name>` by the business app alone: its stanza is simplified. A catalogue is asked by GraphQL
 * (`business-queries.ts`): `w:biz:catalog` gets no answer any more (Baileys issue 2717).
 */
const business: IqHandler = ({ network, sender, iq }) => {
  const { account } = sender;
  const certificate = bytesOf(childNamed(iq, 'verified_name'));
  const asked = childNamed(iq, 'business_profile');
  if (iq.attrs.type === 'set') {
    if (!certificate && !asked) return { error: BAD_REQUEST };
    const { business: before } = account;
    if (!certificate && !before) return { error: FORBIDDEN };
    const given = childrenOf(asked);
    if (!isAcceptable(given)) return { error: NOT_ACCEPTABLE };
    const kept = (before?.profile ?? []).filter(({ tag }) => !given.some((field) => field.tag === tag));
    const profile = [...kept, ...given.map((field) => withNames(field, before?.profile ?? []))];
    account.business = { ...before, certificate: certificate ?? before?.certificate, profile };
    return {};
  }
  if (!asked) return { error: NOT_IMPLEMENTED };
  const profiles = childrenNamed(asked, 'profile').map(({ attrs }) => {
    const { business: found } = network.directory.resolve(attrs.jid) ?? {};
    return stanza('profile', { jid: attrs.jid }, found && [...found.profile]);
  });
  return { content: [stanza('business_profile', { v: '244' }, profiles)] };
};

function isAcceptable(fields: readonly BinaryNode[]): boolean {
  const days = fields.filter(({ tag }) => tag === 'business_hours').flatMap(childrenOf);
  const known = days.every(({ attrs }) => MODES.has(attrs.mode ?? ''));
  return known && fields.filter(({ tag }) => tag === 'website').length <= MOST_WEBSITES;
}

/** Clients send categories by their ids, and the server knows what they are called; here: as before, or by the id. */
function withNames(field: BinaryNode, before: readonly BinaryNode[]): BinaryNode {
  if (field.tag !== 'categories') return field;
  const known = before.filter(({ tag }) => tag === 'categories').flatMap(childrenOf);
  const named = childrenOf(field).map((category) => {
    if (bytesOf(category)) return category;
    const same = known.find(({ attrs }) => attrs.id === category.attrs.id);
    return same ?? { ...category, content: Buffer.from(`Category ${category.attrs.id}`, 'utf8') };
  });
  return { ...field, content: named };
}

export const businessHandlers: ReadonlyArray<readonly [string, IqHandler]> = [['w:biz', business]];

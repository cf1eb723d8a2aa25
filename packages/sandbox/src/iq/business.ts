import { bytesOf, childNamed, childrenNamed, childrenOf, stanza } from '../wire/stanza.ts';
import { BAD_REQUEST, type IqHandler, NOT_IMPLEMENTED } from './answer.ts';

/**
 * `w:biz`: what a business tells of itself. Read with `<business_profile><profile jid/>` (whatsmeow user.go
 * GetBusinessProfile); who is no business has nothing but the `jid`. Written in parts with `mutation_type="delta"`
 * (Baileys business.js), and `<verified_name>` by the business app alone: its stanza is simplified. `w:biz:catalog`
 * and its like are not there.
 */
const business: IqHandler = ({ network, sender, iq }) => {
  const { account } = sender;
  const certificate = bytesOf(childNamed(iq, 'verified_name'));
  const asked = childNamed(iq, 'business_profile');
  if (iq.attrs.type === 'set') {
    if (!certificate && !asked) return { error: BAD_REQUEST };
    const { business: before } = account;
    const given = childrenOf(asked);
    const kept = (before?.profile ?? []).filter(({ tag }) => !given.some((field) => field.tag === tag));
    account.business = { certificate: certificate ?? before?.certificate, profile: [...kept, ...given] };
    return {};
  }
  if (!asked) return { error: NOT_IMPLEMENTED };
  const profiles = childrenNamed(asked, 'profile').map(({ attrs }) => {
    const { business: found } = network.directory.resolve(attrs.jid) ?? {};
    return stanza('profile', { jid: attrs.jid }, found && [...found.profile]);
  });
  return { content: [stanza('business_profile', { v: '244' }, profiles)] };
};

export const businessHandlers: ReadonlyArray<readonly [string, IqHandler]> = [['w:biz', business]];

import type { BusinessProfile } from '../../port/contacts.ts';
import { assertAnswered } from '../connection/unanswered.ts';
import { type BinaryNode, getBinaryNodeChild, type Socket } from '../library.ts';
import { businessIn } from '../parse/profile.ts';

/** What a business says of itself (whatsmeow user.go GetBusinessProfile); null for who is none. */
export async function askBusinessProfile(socket: Socket, jid: string): Promise<BusinessProfile | null> {
  const asked = { tag: 'business_profile', attrs: { v: '244' } };
  const answer: BinaryNode = await socket.query({
    tag: 'iq',
    attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'w:biz' },
    content: [{ ...asked, content: [{ tag: 'profile', attrs: { jid } }] }],
  });
  assertAnswered();
  return businessIn(getBinaryNodeChild(answer, 'business_profile'));
}

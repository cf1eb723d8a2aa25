import { randomBytes } from 'node:crypto';
import { phoneJid } from '../state/jid.ts';
import { childNamed, stanza } from '../wire/stanza.ts';
import { BAD_REQUEST, type IqHandler, NOT_FOUND } from './answer.ts';

/**
 * `w:qr`: the code of the own contact link (`wa.me/qr/…`), made when it is first asked for and anew with
 * `action="revoke"`; and whose a code is (whatsmeow user.go GetContactQRLink, ResolveContactQRLink).
 */
const contactLink: IqHandler = ({ network, sender, iq }) => {
  const asked = childNamed(iq, 'qr');
  if (!asked) return { error: BAD_REQUEST };
  if (iq.attrs.type === 'set') {
    const { account } = sender;
    if (account.contactCode === undefined || asked.attrs.action === 'revoke') {
      account.contactCode = randomBytes(12).toString('base64url').toUpperCase();
    }
    return { content: [stanza('qr', { code: account.contactCode, type: 'contact' })] };
  }
  const { code } = asked.attrs;
  for (const account of network.directory.accounts()) {
    if (code === undefined || account.contactCode !== code) continue;
    return { content: [stanza('qr', { jid: phoneJid(account), notify: account.name, type: 'contact' })] };
  }
  return { error: NOT_FOUND };
};

export const contactLinkHandlers: ReadonlyArray<readonly [string, IqHandler]> = [['w:qr', contactLink]];

/** The account that a send belongs to: a device may be linked again with another one. */
import { AppError } from '../errors.ts';
import { canonicalJid, contradicts, identityOf } from '../identity/jid.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';

/** The name of the device's account; null while it is not linked. */
export function accountOf(device: Pick<MessageDevice, 'jid' | 'lid'>): Jid | null {
  return canonicalJid(device);
}

type Named = Pick<MessageDevice, 'jid' | 'lid'>;

/** Whether the device holds that account, as far as is known; null is any. */
export function holdsAccount({ jid, lid }: Named, account: Identity | null): boolean {
  return account === null || !contradicts(account, { jid, lid });
}

/** Throws ACCOUNT_CHANGED when the device holds another account by now than `account`; null is any. */
export function assertAccount(device: Named, account: Jid | null): void {
  if (account !== null && !holdsAccount(device, identityOf(account))) throw new AppError('ACCOUNT_CHANGED');
}

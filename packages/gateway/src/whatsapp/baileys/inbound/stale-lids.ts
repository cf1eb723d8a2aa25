import { storedLids } from '../account/stored-lids.ts';
import { answered } from '../connection/unanswered.ts';
import { type BinaryNode, isLidUser, isPnUser, jidDecode, type Socket } from '../library.ts';
import { lookUpNumbers } from '../outbound/number-look-up.ts';

/**
 * Follows `<ack refresh_lid="true">`: the LID that we hold of the one who was written to is not theirs any more
 * (whatsapp-rust pull request 1313, Baileys pull request 2661). Their number is asked about, for it is the LID that is
 * in doubt; until then all that is written to them goes to nobody, which is reported to end in bans.
 */
export function followStaleLids(socket: Socket, onFailure: (error: unknown) => void): void {
  const asking = new Set<string>();
  const refresh = async (from: string): Promise<void> => {
    const jid = isLidUser(from) ? await storedLids(socket.authState.keys).getPNForLID(from) : from;
    const number = isPnUser(jid ?? '') ? jidDecode(jid ?? '')?.user : undefined;
    if (!number || asking.has(number)) return;
    asking.add(number);
    await answered(() => lookUpNumbers(socket, [number])).finally(() => asking.delete(number));
  };
  socket.ws.on('CB:ack,class:message', ({ attrs: { refresh_lid: stale, from = '' } }: BinaryNode) => {
    if (stale === 'true') refresh(from).catch(onFailure);
  });
}

import type { Clock } from '../../../clock.ts';
import { proofOfContact } from '../account/contact-secret.ts';
import { storedLids } from '../account/stored-lids.ts';
import { type BinaryNode, isLidUser, isPnUser, jidNormalizedUser, type Socket } from '../library.ts';
import type { OwnAccount } from '../parse/message-source.ts';

/** What the stanza to a chat of two says of it. */
export interface DirectAddress {
  to: string;
  attrs: Record<string, string>;
  /** What goes beside the message. */
  nodes: BinaryNode[];
}

/** The server takes no stanza in which people go by names of the other kind, and answers with that. */
export const WRONG_ADDRESS = 400;

/**
 * Under which name a person is written to: by LID, where both sides are known to have one, with the number beside it,
 * as WhatsApp Web does and whatsmeow (send.go SendMessage, since July 2026) and zapo (resolveDirectRecipientLid,
 * resolvePeerRecipientPn). What goes to the number of somebody who has a LID is refused: with 463 (OpenWA pull request
 * 717, Baileys issue 2683), or 400 (whatsapp-rust issue 730). Without `peer_recipient_pn` the account's own phone shows
 * an unknown person (whaileys pull request 89).
 *
 * An account whose chats the server has not moved to LIDs yet is refused those with 400, and what it sends goes by number
 * (whatsapp-rust issue 941, pull request 943).
 */
export class DirectAddresses {
  readonly #clock: Clock;
  #byNumber = false;
  /** Who was asked about last, by chat: messages leave in the order in which they came. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Of anybody else than a person, the chat as it is. The server is asked for a LID that is not known, as it is anyway. */
  of(socket: Socket, own: OwnAccount, to: string): Promise<DirectAddress> {
    const read = () => this.#read(socket, own, to);
    const mine = (this.#turns.get(to) ?? Promise.resolve()).then(read);
    const turn: Promise<unknown> = mine
      .catch(() => undefined)
      .then(() => {
        if (this.#turns.get(to) === turn) this.#turns.delete(to);
      });
    this.#turns.set(to, turn);
    return mine;
  }

  async #read(socket: Socket, own: OwnAccount, to: string): Promise<DirectAddress> {
    const lid = isLidUser(to) ? to : isPnUser(to) ? await lidOf(socket, to) : null;
    if (!lid || !own.lid) return { to, attrs: {}, nodes: [] };
    const number = isPnUser(to) ? to : await storedLids(socket.authState.keys).getPNForLID(lid);
    if (this.#byNumber && number) return { to: number, attrs: {}, nodes: [] };
    const nodes = await proofOfContact(socket.authState.keys, lid, this.#clock.now());
    return { to: lid, attrs: number ? { peer_recipient_pn: number } : {}, nodes };
  }

  /** After a refusal of the address: whether there is another, which counts from now on. */
  async another(socket: Socket, own: OwnAccount, to: string): Promise<boolean> {
    const refused = await this.of(socket, own, to);
    this.#byNumber = true;
    const next = await this.of(socket, own, to);
    if (next.to === refused.to) this.#byNumber = false;
    return this.#byNumber;
  }

  /** It was not the address: LIDs count again. */
  asBefore(): void {
    this.#byNumber = false;
  }
}

/** Null for whoever has none, and while that cannot be found out. */
async function lidOf(socket: Socket, number: string): Promise<string | null> {
  const lid = await socket.signalRepository.lidMapping.getLIDForPN(number).catch(() => null);
  return lid ? jidNormalizedUser(lid) : null;
}

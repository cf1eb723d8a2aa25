import type { BinaryNode } from 'baileys';
import type { NetworkLink } from '../link.ts';
import type { RegisteredDevice } from './directory.ts';

export interface Refusal {
  readonly code: number;
  /** Attributes of the `<failure>` beside its reason. */
  readonly attrs?: Readonly<Partial<Record<string, string>>>;
}

interface RefusedLogins extends Refusal {
  remaining: number;
}

/** How certificates are not the server's: see `forgeCertificate` of `faults.ts`. */
export const CERTIFICATE_FORGERIES = ['another_root', 'another_key'] as const;
export type CertificateForgery = (typeof CERTIFICATE_FORGERIES)[number];

/** Limits an order to the messages of one account's companions. */
export interface SenderFilter {
  /** Phone number, digits. */
  readonly number?: string;
}

interface AckOrder extends SenderFilter {
  readonly code: number | 'silence';
}

interface QuestionOrder {
  readonly code: number | 'silence';
  /** Of this kind alone. */
  readonly xmlns?: string;
  /** So many of them are answered before. */
  readonly after?: number;
}

/** What is ordered to go wrong (`faults.ts` takes the orders); delivery, routing and login ask here. */
export class FaultOrders {
  #refusedQuestions: QuestionOrder | null = null;
  /** Questions that fit the order and are still to be answered. */
  #answeredBefore = 0;
  /** Which question's answer is lost. */
  #lostAnswer: ((question: BinaryNode) => boolean) | null = null;
  /** The `xmlns` of each question that an order refused or left unanswered. */
  readonly questionsRefused: string[] = [];
  /** The code that companions are refused collections of app state with, each within an answer of its own. */
  collectionRefusal: number | null = null;
  /** What becomes of the answers (`<iq type="result">`) to companions; null: nothing. */
  answersChanged: ((answer: BinaryNode) => BinaryNode) | null = null;
  /** Milliseconds every stanza waits before it is handed to a device. */
  latencyMs = 0;

  readonly #acks: AckOrder[] = [];
  readonly #refused = new Map<string, RefusedLogins>();
  #refusedRegistrations: RefusedLogins | null = null;
  /** Phone numbers of accounts whose other name nobody is told. */
  readonly hidingOtherName = new Set<string>();
  /** Phone numbers of accounts that companions reach by LID alone. */
  readonly reachedByLid = new Set<string>();
  /** Phone numbers of accounts whose chats have not been moved to LIDs: their companions write to numbers alone. */
  readonly notMoved = new Set<string>();
  /** Phone numbers of accounts whose keys nobody is given. */
  readonly withoutKeys = new Set<string>();
  /** Phone numbers of accounts whose keys are given out with another signed pre-key than theirs. */
  readonly withForgedKeys = new Set<string>();
  /** Phone numbers of accounts whose companions are linked under a signature that is not the account's. */
  readonly linkedByForgery = new Set<string>();
  /** How the server shows that it is the server, while that is a lie. */
  certificateForgery: CertificateForgery | null = null;
  readonly #silenced = new Map<NetworkLink, BinaryNode[]>();
  readonly #torn = new Set<NetworkLink>();

  /** The next message of a companion that fits is acknowledged with this error, or not at all. */
  orderAck(code: number | 'silence', from: SenderFilter): void {
    this.#acks.push({ ...from, code });
  }

  /** Until it is lifted (null), questions of companions that fit are refused, or not answered. */
  refuseQuestions(order: QuestionOrder | null): void {
    this.#refusedQuestions = order;
    this.#answeredBefore = order?.after ?? 0;
  }

  /** The next question of a companion that fits is done, and its answer lost. */
  loseAnswer(fits: (question: BinaryNode) => boolean): void {
    this.#lostAnswer = fits;
  }

  /** Whether the answer to this question, which is done, is lost. */
  losesAnswer(sender: RegisteredDevice, question: BinaryNode): boolean {
    if (sender.address.device === 0 || !this.#lostAnswer?.(question)) return false;
    this.#lostAnswer = null;
    return true;
  }

  /** What is ordered for the answer to this question. */
  takeAnswer(sender: RegisteredDevice, question: BinaryNode): number | 'silence' | undefined {
    return sender.address.device === 0 ? undefined : this.answerTo(question);
  }

  /** As `takeAnswer`, for a companion that is not linked yet. */
  answerTo(question: BinaryNode): number | 'silence' | undefined {
    const order = this.#refusedQuestions;
    if (!order) return undefined;
    const { xmlns = '' } = question.attrs;
    // An order is about what is asked for; a connection that answers no ping is another one (`silence`).
    if (xmlns === 'w:p') return undefined;
    if (order.xmlns !== undefined && order.xmlns !== xmlns) return undefined;
    if (this.#answeredBefore > 0) {
      this.#answeredBefore -= 1;
      return undefined;
    }
    this.questionsRefused.push(xmlns);
    return order.code;
  }

  /** The next logins of a number's companions are refused; 0 times lifts it. */
  refuseLogins(number: string, refusal: Refusal, times: number): void {
    if (times <= 0) this.#refused.delete(number);
    else this.#refused.set(number, { ...refusal, remaining: times });
  }

  /** The next stanza to this link breaks off in the middle. */
  tearNext(link: NetworkLink): void {
    this.#torn.add(link);
  }

  /** What comes for this link is held back from now on. */
  silence(link: NetworkLink): void {
    if (!this.#silenced.has(link)) this.#silenced.set(link, []);
  }

  /** Ends a silence; returns what was held back, in its order. */
  resume(link: NetworkLink): readonly BinaryNode[] {
    const held = this.#silenced.get(link) ?? [];
    this.#silenced.delete(link);
    return held;
  }

  /** Asked for every stanza to a link: true when a silence holds it back. */
  withholds(link: NetworkLink, node: BinaryNode): boolean {
    const held = this.#silenced.get(link);
    held?.push(node);
    return held !== undefined;
  }

  /** Asked for every stanza to a link: true when it breaks off in the middle of this one. */
  tears(link: NetworkLink): boolean {
    return this.#torn.delete(link);
  }

  /** A link ended: what was held back is lost with it. */
  linkGone(link: NetworkLink): void {
    this.#silenced.delete(link);
    this.#torn.delete(link);
  }

  /** Forgets every order that is still open; silences stay until they are resumed. */
  clear(): void {
    this.latencyMs = 0;
    this.#acks.length = 0;
    this.#refusedQuestions = null;
    this.#lostAnswer = null;
    this.collectionRefusal = null;
    this.answersChanged = null;
    this.questionsRefused.length = 0;
    this.#refused.clear();
    this.#refusedRegistrations = null;
    this.hidingOtherName.clear();
    this.withoutKeys.clear();
    this.withForgedKeys.clear();
    this.linkedByForgery.clear();
    this.certificateForgery = null;
    this.reachedByLid.clear();
    this.notMoved.clear();
  }

  /** What is ordered for the ack of this message, or call. */
  takeAck(sender: RegisteredDevice, message: BinaryNode): number | 'silence' | undefined {
    if (this.#acks.length === 0) return undefined;
    if (sender.address.device === 0 || message.attrs.category === 'peer') return undefined;
    const { user } = sender.account;
    const index = this.#acks.findIndex(({ number }) => number === undefined || number === user);
    return index < 0 ? undefined : this.#acks.splice(index, 1)[0]?.code;
  }

  /** Who wants to be linked is refused so many times with this code; 0 lifts it. */
  refuseRegistrations(code: number, times: number): void {
    this.#refusedRegistrations = times > 0 ? { code, remaining: times } : null;
  }

  /** The code that a registration is refused with. */
  takeRegistrationRefusal(): number | undefined {
    const refused = this.#refusedRegistrations;
    if (!refused) return undefined;
    this.refuseRegistrations(refused.code, refused.remaining - 1);
    return refused.code;
  }

  /** What this login is refused with. */
  takeLoginRefusal(user: string): Refusal | undefined {
    const refused = this.#refused.get(user);
    if (!refused) return undefined;
    refused.remaining -= 1;
    if (refused.remaining <= 0) this.#refused.delete(user);
    return refused;
  }
}

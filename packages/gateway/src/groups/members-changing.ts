/** Adding, removing, promoting and demoting members: many at a time, each with an outcome of its own. */
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { identityOf, isLid, sameIdentity } from '../identity/jid.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import { groupInviteContent } from '../sending/content/group-invite.ts';
import type { Sending } from '../sending/pipeline.ts';
import {
  invalidRecipient,
  namesOf,
  parseRecipient,
  type RecipientAddress,
  type Recipients,
} from '../sending/recipients.ts';
import type { Caller } from '../tenancy/caller.ts';
import { RequestRefused, SessionTimeout } from '../whatsapp/port/errors.ts';
import type { GroupMember, MemberOutcome, MembersChange } from '../whatsapp/port/groups.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import { onGroup, refusedOf } from './group-answers.ts';
import type { GroupRefresh } from './group-refresh.ts';
import type { GroupStore } from './group-store.ts';
import type { GroupDevices, GroupName, Groups } from './groups.ts';
import { type MemberResult, refusalOf } from './member-results.ts';
import { type ReachedGroup, reachGroup } from './reaching.ts';

/** People of one request to WhatsApp. More at once is what its limits against spam look for; the figure is ours. */
const PORTION = 50;
/** Between two of them. All of a group of 1,024 are done in some 40 s, within the time of an answer. */
const BETWEEN_MS = 2000;
/** Numbers that are looked up at the same time. */
const LOOKED_UP_AT_ONCE = 8;

export interface MembersChangeRequest extends GroupName {
  change: MembersChange;
  /** As the caller wrote them. */
  participants: readonly string[];
  /** Sends an invitation to those who let themselves not be added. */
  sendInvite?: boolean | undefined;
}

/** Somebody the request names, once it is known who that is. */
export interface Named {
  input: string;
  address: RecipientAddress;
  /** Null for a number that is not on WhatsApp. */
  who: Identity | null;
}

export interface MembersChangingParts {
  devices: GroupDevices;
  groups: Groups;
  store: GroupStore;
  refresh: GroupRefresh;
  recipients: Recipients;
  sending: Sending;
  clock: Clock;
}

export class MembersChanging {
  readonly #parts: MembersChangingParts;

  constructor(parts: MembersChangingParts) {
    this.#parts = parts;
  }

  /** A refusal of the whole is thrown; of one person it is told in their result. */
  async change(caller: Caller, request: MembersChangeRequest): Promise<MemberResult[]> {
    const { refresh, store } = this.#parts;
    const reached = await reachGroup(this.#parts, caller, request);
    const { device, session, group } = reached;
    const addresses = participantAddresses(request.participants);
    const named =
      request.change === 'add'
        ? await this.people(session, device, addresses)
        : await this.#members(reached, addresses);
    const outcomes = await this.#changeAll(reached, request.change, named);
    await refresh.afterChange(device, session, group.jid);
    const { members } = await store.members(device, group.jid);
    const results = named.map((each) => resultOf(request.change, each, outcomes, members));
    if (!request.sendInvite) return results;
    return this.invited(caller, { device, group }, results);
  }

  /** Who is meant by addresses of people who need not be in the group. */
  async people(
    session: WhatsAppSession,
    device: MessageDevice,
    addresses: readonly { input: string; address: RecipientAddress }[],
  ): Promise<Named[]> {
    const named: Named[] = [];
    for (let start = 0; start < addresses.length; start += LOOKED_UP_AT_ONCE) {
      const part = addresses.slice(start, start + LOOKED_UP_AT_ONCE);
      named.push(...(await Promise.all(part.map((each) => this.#person(session, device, each)))));
    }
    return named;
  }

  /** The results, with an invitation sent to each who needs one. */
  async invited(
    caller: Caller,
    place: Pick<ReachedGroup, 'device' | 'group'>,
    results: readonly MemberResult[],
  ): Promise<MemberResult[]> {
    const told: MemberResult[] = [];
    // One after the other: each is a message, and takes its turn.
    for (const each of results) told.push(await this.#invite(caller, place, each));
    return told;
  }

  async #person(
    session: WhatsAppSession,
    device: MessageDevice,
    { input, address }: { input: string; address: RecipientAddress },
  ): Promise<Named> {
    try {
      const { chat } = await this.#parts.recipients.resolve(session, device, address);
      return { input, address, who: chat };
    } catch (error) {
      if (error instanceof AppError && error.code === 'NOT_ON_WHATSAPP') return { input, address, who: null };
      throw error;
    }
  }

  /** Who is in the group is meant first, however the number is spelt. */
  async #members(
    { session, group }: ReachedGroup,
    addresses: readonly { input: string; address: RecipientAddress }[],
  ): Promise<Named[]> {
    const members = await onGroup(group, 'to tell the members', () => session.groups.members(group.jid));
    return addresses.map(({ input, address }) => {
      const names = namesOf(address).map(identityOf);
      const member = names.flatMap((name) => members.find((each) => sameIdentity(each, name)) ?? [])[0];
      const who = member ? { jid: member.jid, lid: member.lid } : (names[0] ?? null);
      return { input, address, who };
    });
  }

  async #changeAll(
    { session, group }: ReachedGroup,
    change: MembersChange,
    named: readonly Named[],
  ): Promise<MemberOutcome[]> {
    const { clock } = this.#parts;
    const people = named.flatMap(({ who }) => who ?? []);
    const options = { linkedGroups: group.community };
    const outcomes: MemberOutcome[] = [];
    for (let start = 0; start < people.length; start += PORTION) {
      const portion = people.slice(start, start + PORTION);
      if (start > 0) await new Promise<void>((resolve) => clock.after(BETWEEN_MS, resolve));
      try {
        outcomes.push(...(await session.groups.changeMembers(group.jid, change, portion, options)));
      } catch (error) {
        if (start === 0) throw refusedOf(group, 'the change of members', error);
        // What was done stands, and is told; the rest is refused as one.
        const code = codeOf(error);
        outcomes.push(...people.slice(start).map((who) => ({ ...who, code, invite: null })));
        break;
      }
    }
    return outcomes;
  }

  async #invite(
    caller: Caller,
    { device, group }: Pick<ReachedGroup, 'device' | 'group'>,
    result: MemberResult,
  ): Promise<MemberResult> {
    const { invite } = result;
    const to = result.jid ?? result.lid;
    if (!invite || !to) return result;
    const content = groupInviteContent({ group: group.jid, groupName: group.subject, ...invite });
    try {
      const address = parseRecipient(to, 'participants');
      const { messageId } = await this.#parts.sending.send(caller, { deviceId: device.id, address, content });
      return { ...result, inviteSent: { messageId } };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { ...result, inviteSent: { error: error.code } };
    }
  }
}

/** The people that a request names, each once. Throws INVALID_RECIPIENT for what is no person. */
export function participantAddresses(
  participants: readonly string[],
): { input: string; address: RecipientAddress }[] {
  const read = participants.map((input, index) => {
    const field = `participants.${index}`;
    const address = parseRecipient(input, field);
    if (address.kind === 'number' || isLid(address.jid)) return { input, address };
    throw invalidRecipient(field, input, 'is no person');
  });
  return [...new Map(read.map((each) => [JSON.stringify(each.address), each])).values()];
}

/** What became of somebody; `members` are those of the group now. */
export function resultOf(
  change: MembersChange,
  { input, address, who }: Named,
  outcomes: readonly MemberOutcome[],
  members: readonly GroupMember[],
): MemberResult {
  if (!who) {
    const [name] = namesOf(address);
    const unknown = { code: 404, invite: null };
    return {
      input,
      ...identityOf(name),
      ...unknown,
      refusal: refusalOf(change, unknown),
      inviteSent: null,
      admin: false,
      superAdmin: false,
    };
  }
  const outcome = outcomes.find((each) => sameIdentity(each, who)) ?? { ...who, code: 504, invite: null };
  const member = members.find((each) => sameIdentity(each, who));
  return {
    input,
    jid: outcome.jid ?? who.jid,
    lid: outcome.lid ?? who.lid,
    code: outcome.code,
    refusal: refusalOf(change, outcome),
    invite: outcome.invite,
    inviteSent: null,
    admin: member?.admin ?? false,
    superAdmin: member?.superAdmin ?? false,
  };
}

function codeOf(error: unknown): number {
  if (error instanceof RequestRefused) return error.whatsappCode;
  return error instanceof SessionTimeout ? 504 : 503;
}

/** Coming into a group, and letting others in. */
import type { ErrorCode } from '../errors.ts';
import { identityOf, sameIdentity } from '../identity/jid.ts';
import type { MessageFinder } from '../messages/finding/finder.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import { spellingsOf } from '../sending/recipients.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession, SESSION_FAILURES } from '../whatsapp/port/app-errors.ts';
import type {
  DecidedJoin,
  GroupInvitation,
  JoinOutcome,
  JoinRequest,
} from '../whatsapp/port/group-joining.ts';
import type { GroupInfo } from '../whatsapp/port/groups.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import type { GroupDevices, GroupName, Groups } from './groups.ts';
import { expirationMissing, type Invite, type InviteInput, readInvite } from './invites.ts';
import { JOIN_FAILURES, whileJoining } from './join-refusals.ts';
import { reachGroup } from './reaching.ts';

/** Newest invitations of one person that are looked through for the one that a caller means. */
const MOST_INVITATIONS = 50;

/** WhatsApp's code for somebody who does not wait. */
const NOT_WAITING = 404;

/** How joining by a device can end. */
export const JOINING_FAILURES = [
  'DEVICE_NOT_FOUND',
  'DEVICE_AMBIGUOUS',
  ...SESSION_FAILURES,
  ...JOIN_FAILURES,
] as const satisfies readonly ErrorCode[];

export interface JoiningParts {
  devices: GroupDevices;
  groups: Groups;
  /** Where invitations are that came as messages. */
  finder: Pick<MessageFinder, 'list'>;
}

export interface PreviewedGroup {
  group: GroupInfo;
  /** Whether the account is in it; only where the server tells of members. */
  member: boolean;
}

/** Whom a decision is about: those named, or everybody who waits. */
export type Waiting = { names: readonly Jid[] } | 'all';

export class GroupJoining {
  readonly #parts: JoiningParts;

  constructor(parts: JoiningParts) {
    this.#parts = parts;
  }

  /** What an invite leads to; nothing is joined. */
  async preview(caller: Caller, deviceId: string | undefined, invite: InviteInput): Promise<PreviewedGroup> {
    const { device, session } = await this.#connected(caller, deviceId);
    const asked = await this.#completed(caller, device, invite);
    const group = await whileJoining(() =>
      asked.kind === 'link'
        ? session.groupJoining.preview(asked.code)
        : session.groupJoining.previewInvitation(asked),
    );
    return { group, member: group.members.some((member) => sameIdentity(member, device)) };
  }

  async join(caller: Caller, deviceId: string | undefined, invite: InviteInput): Promise<JoinOutcome> {
    const { device, session } = await this.#connected(caller, deviceId);
    const asked = await this.#completed(caller, device, invite);
    return whileJoining(() =>
      asked.kind === 'link' ? session.groupJoining.join(asked.code) : session.groupJoining.accept(asked),
    );
  }

  /** Who waits for an admin, the longest waiting first. */
  async requests(caller: Caller, name: GroupName): Promise<{ group: Jid; requests: JoinRequest[] }> {
    const { session, group } = await reachGroup(this.#parts, caller, name);
    return {
      group: group.jid,
      requests: await onSession(() => session.groupJoining.joinRequests(group.jid)),
    };
  }

  /** Each person is answered for; one who does not wait has the code that WhatsApp gives for it, 404. */
  async decide(
    caller: Caller,
    name: GroupName,
    { decision, waiting }: { decision: 'approve' | 'reject'; waiting: Waiting },
  ): Promise<{ group: Jid; decided: DecidedJoin[] }> {
    const {
      session,
      group: { jid },
    } = await reachGroup(this.#parts, caller, name);
    return onSession(async () => {
      const { named, strangers } = meant(await session.groupJoining.joinRequests(jid), waiting);
      const decided = named.length > 0 ? await session.groupJoining.decideJoins(jid, decision, named) : [];
      return { group: jid, decided: [...decided, ...strangers] };
    });
  }

  async #connected(
    caller: Caller,
    deviceId: string | undefined,
  ): Promise<{ device: MessageDevice; session: WhatsAppSession }> {
    const device = await this.#parts.devices.resolve(caller, deviceId);
    return { device, session: this.#parts.devices.session(device) };
  }

  /**
   * What a request says, read once the device is known. The server compares when an invitation ends; a caller who
   * does not say has it in a message of the inviter's.
   */
  async #completed(
    caller: Caller,
    device: MessageDevice,
    input: InviteInput,
  ): Promise<{ kind: 'link'; code: string } | ({ kind: 'invitation' } & GroupInvitation)> {
    const invite = readInvite(input);
    if (invite.kind === 'link') return invite;
    const { expiration = await this.#storedExpiration(caller, device, invite) } = invite;
    if (expiration === null) throw expirationMissing();
    return { ...invite, expiration };
  }

  async #storedExpiration(
    caller: Caller,
    { id: deviceId }: MessageDevice,
    { code, inviter, group }: Extract<Invite, { kind: 'invitation' }>,
  ): Promise<number | null> {
    const { messages } = await this.#parts.finder.list(caller, {
      deviceId,
      chat: spellingsOf(inviter),
      kinds: ['group_invite'],
      direction: 'in',
      order: 'desc',
      limit: MOST_INVITATIONS,
    });
    for (const { data } of messages) {
      const details = data.details as Record<string, unknown> | null;
      if (details?.invite_code !== code || details.group_jid !== group) continue;
      return typeof details.invite_expiration === 'number' ? details.invite_expiration : null;
    }
    return null;
  }
}

function meant(
  requests: readonly JoinRequest[],
  waiting: Waiting,
): { named: Jid[]; strangers: DecidedJoin[] } {
  if (waiting === 'all') return { named: requests.map(({ name }) => name), strangers: [] };
  const named = new Set<Jid>();
  const strangers: DecidedJoin[] = [];
  for (const written of waiting.names) {
    const spellings = spellingsOf(written);
    const request = requests.find(({ who }) =>
      spellings.some((each) => each === who.jid || each === who.lid),
    );
    if (request) named.add(request.name);
    else strangers.push({ ...identityOf(written), code: NOT_WAITING });
  }
  return { named: [...named], strangers };
}

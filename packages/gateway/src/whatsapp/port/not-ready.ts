/** The one error for a device that cannot be used now: why, as a word to branch on, and what helps. */
import { AppError, type AppErrorDetail } from '../../errors.ts';
import { banMembers, type TemporaryBan } from './temporary-ban.ts';
import { type Unreachable, unreachableText } from './unreachable.ts';

/** Each reason with what the caller can do about it. The names are stable. */
const NOT_READY = {
  never_linked: 'no phone is linked to this device: GET /qr or POST /paircode',
  linking: 'a phone is being linked: scan the QR or type the code; GET /status says when it is done',
  stopped: 'it was disconnected on request: POST /connect brings it back without a QR',
  reconnecting: 'the gateway is connecting it again by itself: repeat the request in a few seconds',
  logged_out: 'the device was unlinked, here or on the phone: GET /qr or POST /paircode links it again',
  replaced: 'another client took over its connection: stop that one, then POST /connect',
  banned:
    'WhatsApp has banned the account, or its phone has changed: open WhatsApp on the phone, it says what to do. Once ' +
    'it works there, POST /connect; where that fails, POST /logout with force=true, and link anew',
  temporary_ban:
    'WhatsApp has banned the account for a while: the gateway tries again by itself, do not send meanwhile',
  outdated: 'WhatsApp no longer accepts this version of the client: update the gateway',
} as const;

export type NotReadyReason = keyof typeof NOT_READY;
export const NOT_READY_REASONS = Object.keys(NOT_READY) as NotReadyReason[];

export interface NotReady {
  reason: NotReadyReason;
  device_id?: string;
  /** Set while WhatsApp's server cannot be reached. */
  unreachable?: Unreachable | null;
  ban?: TemporaryBan | null;
  /** What else helps, for what was asked. */
  also?: string;
}

/** DEVICE_NOT_READY with `reason`, `hint` and, where the way to WhatsApp is the trouble, `unreachable`. */
export function deviceNotReady(why: NotReady, detail: AppErrorDetail = {}): AppError {
  const { unreachable } = why;
  return new AppError('DEVICE_NOT_READY', {
    ...detail,
    extra: { ...detail.extra, ...notReadyMembers(why), ...(unreachable ? { unreachable } : {}) },
  });
}

/** The word of an error of `deviceNotReady`; null for any other. */
export function notReadyReason({ detail }: AppError): NotReadyReason | null {
  return NOT_READY_REASONS.find((word) => word === detail.extra?.reason) ?? null;
}

/** `reason` and `hint`, as answers show them. */
export function notReadyMembers({ reason, device_id, unreachable, ban, also }: NotReady) {
  const why = unreachable ? unreachableText(unreachable) : `${NOT_READY[reason]}${ban ? banText(ban) : ''}`;
  const hint = also === undefined ? why : `${why}; ${also}`;
  return { reason, hint, ...(device_id === undefined ? {} : { device_id }) };
}

/** What WhatsApp says of a ban, as the end of a sentence. */
function banText(ban: TemporaryBan): string {
  const { until, code, why } = banMembers(ban);
  const said = [until && `until ${until}`, why ?? (code === null ? null : `code ${code}`)].filter(Boolean);
  return said.length > 0 ? ` (${said.join('; ')})` : '';
}

import { type BinaryNode, proto } from 'baileys';

export interface OpeningHours {
  /** `sun` … `sat`. */
  readonly day: string;
  readonly mode: 'open_24h' | 'appointment_only' | 'specific_hours';
  /** Minutes since midnight, of `specific_hours`. */
  readonly open?: number;
  readonly close?: number;
}

/** What a business tells of itself in the WhatsApp Business app. */
export interface BusinessDetails {
  /** The name that the account is known by. */
  readonly name: string;
  readonly address?: string;
  readonly email?: string;
  readonly description?: string;
  readonly websites?: readonly string[];
  readonly category?: { readonly id: string; readonly name: string };
  readonly hours?: { readonly timezone: string; readonly days: readonly OpeningHours[] };
}

/** The certificate of the name; nobody signs it here (whatsmeow user.go parseVerifiedNameContent reads it). */
export function nameCertificate(name: string): Uint8Array {
  const details = proto.VerifiedNameCertificate.Details.encode({
    serial: 1,
    issuer: 'smb:wa',
    verifiedName: name,
  }).finish();
  return proto.VerifiedNameCertificate.encode({ details, signature: new Uint8Array(64) }).finish();
}

/** The fields of a profile, as the app writes them and others read them. */
export function profileFields(details: BusinessDetails): BinaryNode[] {
  const { category, hours, websites = [] } = details;
  const text = (tag: string, content: string | undefined): BinaryNode[] =>
    content === undefined ? [] : [{ tag, attrs: {}, content: Buffer.from(content, 'utf8') }];
  const days = hours?.days.map(({ day, mode, open, close }) => ({
    tag: 'business_hours_config',
    attrs: {
      day_of_week: day,
      mode,
      ...(open === undefined ? {} : { open_time: String(open) }),
      ...(close === undefined ? {} : { close_time: String(close) }),
    },
  }));
  const categories = text('category', category?.name).map((node) => ({
    ...node,
    attrs: { id: category?.id ?? '' },
  }));
  return [
    ...text('address', details.address),
    ...text('email', details.email),
    ...text('description', details.description),
    ...websites.flatMap((website) => text('website', website)),
    ...(category ? [{ tag: 'categories', attrs: {}, content: categories }] : []),
    ...(hours && days ? [{ tag: 'business_hours', attrs: { timezone: hours.timezone }, content: days }] : []),
  ];
}

import { LinkError } from './host.ts';

/** What a companion's QR code says. */
export interface QrContent {
  readonly ref: string;
  /** 32 bytes each. */
  readonly noisePublic: Buffer;
  readonly identityPublic: Buffer;
  readonly advSecret: Buffer;
  /** Client platform id, `1` for Chrome; absent in codes of older clients. */
  readonly platform?: string;
}

const URL_PREFIX = 'https://wa.me/settings/linked_devices#';

/**
 * Reads a linking QR code: the URL form `https://wa.me/settings/linked_devices#ref,noise,identity,adv,platform`
 * (whatsmeow pair.go makeQRData, Baileys buildPairingQRData) or the bare comma-separated form before it.
 * Throws {@link LinkError} `invalid_qr`.
 */
export function parseQr(text: string): QrContent {
  const body = text.trim().startsWith(URL_PREFIX) ? text.trim().slice(URL_PREFIX.length) : text.trim();
  // A ref itself may contain commas (it is `2@` and several base64 parts); the keys are the last fields.
  const parts = body.split(',');
  const platform = parts.length > 4 && (parts.at(-1)?.length ?? 0) < 40 ? parts.pop() : undefined;
  const [noise, identity, adv] = parts.splice(-3).map((part) => Buffer.from(part, 'base64'));
  const ref = parts.join(',');
  if (ref === '' || noise?.length !== 32 || identity?.length !== 32 || adv?.length !== 32) {
    throw new LinkError('invalid_qr', 'this is not a linking QR code');
  }
  return {
    ref,
    noisePublic: noise,
    identityPublic: identity,
    advSecret: adv,
    ...(platform === undefined ? {} : { platform }),
  };
}

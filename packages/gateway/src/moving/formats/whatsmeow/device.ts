/**
 * A row of `whatsmeow_device` as Baileys' credentials (Types/Auth.ts `AuthenticationCreds`), without what only matters
 * while a device is being linked.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { DEVICE, malformed, needed, type Row, type StoredTables } from './tables.ts';

interface KeyPair {
  public: Uint8Array;
  private: Uint8Array;
}

/** What of the credentials does not stand in the device's row. */
export interface Beside {
  /** The account's LID, digits, where the row has none: whatsmeow fills it in when it next connects. */
  lid: string | undefined;
  nextPreKeyId: number;
  /** In base64: with it changes of the account's state are sealed. */
  appStateKeyId: string | undefined;
}

export type DeviceRow = Row<typeof DEVICE>;

/** The device's row. Throws `HeldSessionRefused`. */
export function deviceRow(tables: StoredTables, jid: string): DeviceRow {
  const [row] = [...tables.rows(DEVICE, jid)];
  if (!row) throw malformed({ table: DEVICE, column: 'jid', file: tables.file }, `has no ${jid}`);
  return row;
}

export function ownIdentity(row: DeviceRow, file: string): KeyPair {
  return keyPair(needed(row.identity_key, { table: DEVICE, column: 'identity_key', file }, 32));
}

/** @param file where the row was found */
export function credentials(row: DeviceRow, beside: Beside, file: string): Record<string, unknown> {
  const bytes = (column: keyof DeviceRow & string, length?: number): Uint8Array =>
    needed(row[column] as Uint8Array | null, { table: DEVICE, column, file }, length);
  const number = (column: keyof DeviceRow & string): number =>
    needed(row[column] as number | null, { table: DEVICE, column, file });
  const jid = needed(row.jid, { table: DEVICE, column: 'jid', file });
  const [, device] = /(:\d+)@/.exec(jid) ?? [];
  const lid = row.lid || (beside.lid === undefined ? undefined : `${beside.lid}${device ?? ''}@lid`);
  return {
    noiseKey: keyPair(bytes('noise_key', 32)),
    signedIdentityKey: ownIdentity(row, file),
    signedPreKey: {
      keyPair: keyPair(bytes('signed_pre_key', 32)),
      signature: bytes('signed_pre_key_sig', 64),
      keyId: number('signed_pre_key_id'),
    },
    registrationId: number('registration_id'),
    advSecretKey: Buffer.from(bytes('adv_key')).toString('base64'),
    account: {
      details: bytes('adv_details'),
      accountSignatureKey: bytes('adv_account_sig_key', 32),
      accountSignature: bytes('adv_account_sig', 64),
      deviceSignature: bytes('adv_device_sig', 64),
    },
    me: {
      id: jid,
      ...(lid ? { lid } : {}),
      ...nameOf(row),
    },
    platform: row.platform || undefined,
    ...(beside.appStateKeyId ? { myAppStateKeyId: beside.appStateKeyId } : {}),
    nextPreKeyId: beside.nextPreKeyId,
    // Which of them the server has is not certain: whatsmeow notes it after the upload, and gives single ones away
    // out of turn. All are kept, and those that are uploaded next are new.
    firstUnuploadedPreKeyId: beside.nextPreKeyId,
  };
}

/** A pair of Curve25519 from its private half. */
export function keyPair(privateKey: Uint8Array): KeyPair {
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_X25519, privateKey]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
  return { public: publicKey, private: privateKey };
}

/** What stands before the 32 bytes of a private key in its DER form (RFC 8410). */
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** The push name is the person's, the business name that of the company. */
function nameOf(row: DeviceRow): { name?: string } {
  const name = row.push_name || row.business_name;
  return name ? { name } : {};
}

/**
 * Sessions of Baileys, wherever they are kept: a value named `creds`, and one for each key that is named
 * `<type>-<id>`. Its folder of files escapes the id (`fixFileName` of use-multi-file-auth-state.ts: `/` is `__`, `:` is
 * `-`), as does baileys-api; the databases of WAHA and Evolution API keep it as it is.
 */
import { canOnlyBeNumber } from '../../identity/phone-number.ts';
import {
  HELD_KEY_TYPES,
  type HeldKey,
  type HeldKeyType,
  type HeldSession,
} from '../../whatsapp/port/moving.ts';
import { unwrappedJson } from './json-text.ts';

export interface NamedValue {
  name: string;
  /** JSON as text or bytes, or what was JSON. */
  value(): unknown;
  /** See `HeldKey`. */
  place: string;
}

const CREDS = 'creds';
/** `sender-key-memory-…` is no `sender-key-…`. */
const TYPES = [...HELD_KEY_TYPES].sort((a, b) => b.length - a.length);

/** Whether a value of this name is of a session. */
export function isOfSession(name: string): boolean {
  return name === CREDS || keyOf(name) !== null;
}

export function isCreds(name: string): boolean {
  return name === CREDS;
}

/** `place` is told where there are no credentials. */
export function heldSession(values: readonly NamedValue[], place: string): HeldSession {
  const creds = values.find(({ name }) => isCreds(name));
  const names = new Set(values.map(({ name }) => name));
  const others = values.filter(({ name }) => !isOfSession(name));
  return {
    creds: jsonOf(creds?.value()),
    place: creds?.place ?? place,
    keys: keys(values, names),
    notTaken:
      others.length === 0
        ? []
        : [
            {
              what: 'other',
              count: others.length,
              why: 'not a part of a session',
              places: others.slice(0, 3).map((each) => each.place),
            },
          ],
  };
}

function* keys(values: readonly NamedValue[], names: ReadonlySet<string>): Generator<HeldKey> {
  for (const { name, value, place } of values) {
    const key = keyOf(name);
    if (!key) continue;
    // Not looked into: it is the largest of all, and stays behind.
    const parsed = key.type === 'app-state-sync-version' ? null : jsonOf(value());
    yield { ...key, value: parsed, place };
    const lid = nameUnderLid(key);
    if (lid && !names.has(`${key.type}-${lid}`)) yield { type: key.type, id: lid, value: parsed, place };
  }
}

function jsonOf(value: unknown): unknown {
  return unwrappedJson(value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value);
}

function keyOf(name: string): { type: HeldKeyType; id: string } | null {
  const type = TYPES.find((each) => name.startsWith(`${each}-`));
  if (!type) return null;
  return { type, id: unescaped(type, name.slice(type.length + 1)) };
}

function unescaped(type: HeldKeyType, id: string): string {
  // Base64 has no `_`, and the parts of a sender's name no `--`.
  if (type === 'app-state-sync-key') return id.replaceAll('__', '/');
  return type === 'sender-key' ? id.replaceAll('--', '::') : id;
}

/**
 * Baileys 6 names people by their digits alone, those whom it knows by a LID too; 7 asks for these under
 * `<LID>_1` (libsignal.ts `jidToSignalProtocolAddress`). Where the digits may be a LID, the key is kept under both
 * names: nobody asks for the wrong one.
 */
function nameUnderLid({ type, id }: { type: HeldKeyType; id: string }): string | null {
  if (type === 'session' || type === 'identity-key') {
    const [user = '', device = ''] = id.split('.');
    return mayBeLid(user) ? `${user}_1.${device}` : null;
  }
  if (type !== 'sender-key') return null;
  const [group = '', user = '', device = ''] = id.split('::');
  return mayBeLid(user) ? `${group}::${user}_1::${device}` : null;
}

function mayBeLid(user: string): boolean {
  return /^\d{1,20}$/.test(user) && !canOnlyBeNumber(user);
}

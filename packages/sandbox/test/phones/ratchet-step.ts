/** Where in its ratchet a ciphertext was made. */
export interface RatchetStep {
  /** The public key of the sending chain, hex. */
  readonly chain: string;
  /** Goes up by one with each message of a chain. */
  readonly counter: number;
}

/** Follows a `WhisperMessage`. */
const MAC_BYTES = 8;

/**
 * Reads the head of a Signal ciphertext: a version byte, then `WhisperMessage` with ratchet key (field 1) and
 * counter (2), which in a `pkmsg` is inside `PreKeyWhisperMessage` (4) (libsignal WhisperTextProtocol.proto).
 */
export function ratchetStep(type: 'pkmsg' | 'msg', ciphertext: Uint8Array): RatchetStep {
  if (type === 'pkmsg') return ratchetStep('msg', bytes(fieldsOf(ciphertext.subarray(1)).get(4)));
  const fields = fieldsOf(ciphertext.subarray(1, -MAC_BYTES));
  const counter = fields.get(2) ?? 0;
  if (typeof counter !== 'number') throw new Error('the counter is not a number');
  return { chain: Buffer.from(bytes(fields.get(1))).toString('hex'), counter };
}

/** Fails with what it found when a counter does not come after the one before it in its chain. */
export function assertNeverBack(steps: readonly RatchetStep[]): void {
  const latest = new Map<string, number>();
  for (const { chain, counter } of steps) {
    const before = latest.get(chain) ?? -1;
    if (counter <= before) throw new Error(`counter ${counter} after ${before}`);
    latest.set(chain, counter);
  }
}

function bytes(value: number | Uint8Array | undefined): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Error('not a Signal ciphertext');
  return value;
}

/** The varint and byte fields of a protobuf. */
function fieldsOf(data: Uint8Array): Map<number, number | Uint8Array> {
  const fields = new Map<number, number | Uint8Array>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = data[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < data.length) {
    const tag = varint();
    if ((tag & 7) === 0) fields.set(tag >> 3, varint());
    else if ((tag & 7) === 2) {
      const length = varint();
      fields.set(tag >> 3, data.subarray(at, at + length));
      at += length;
    } else break;
  }
  return fields;
}

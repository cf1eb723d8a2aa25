/** An Ogg/Opus file as a player reads it (RFC 3533, RFC 7845): strict, and with a decoder that is not the gateway's. */
import { OpusDecoder } from 'opus-decoder';

export interface ReadOpus {
  channels: number;
  /** What the encoder was given, in Hz. */
  inputRate: number;
  preSkip: number;
  /** Samples of 48 kHz that are heard, as the last page says. */
  samples: number;
  vendor: string;
  packets: Uint8Array[];
}

/** Throws for what a strict player would refuse. */
export function readOggOpus(bytes: Buffer): ReadOpus {
  const { packets, position } = packetsOf(bytes);
  const [head, tags, ...sound] = packets;
  if (head?.subarray(0, 8).toString() !== 'OpusHead') throw new Error('the first packet is no OpusHead');
  if (tags?.subarray(0, 8).toString() !== 'OpusTags') throw new Error('the second packet is no OpusTags');
  const preSkip = head.readUInt16LE(10);
  return {
    channels: head.readUInt8(9),
    inputRate: head.readUInt32LE(12),
    preSkip,
    samples: position - preSkip,
    vendor: tags.subarray(12, 12 + tags.readUInt32LE(8)).toString(),
    packets: sound,
  };
}

/** The samples of the first channel that are heard, at 48 kHz. */
export async function heard({ packets, preSkip, samples, channels }: ReadOpus): Promise<Float32Array> {
  const decoder = new OpusDecoder({ channels, streamCount: 1, coupledStreamCount: channels - 1 });
  await decoder.ready;
  try {
    const { channelData, errors } = decoder.decodeFrames(packets);
    if (errors.length > 0) throw new Error(`it does not decode: ${errors[0]?.message}`);
    const [first = new Float32Array(0)] = channelData;
    return first.slice(preSkip, preSkip + samples);
  } finally {
    decoder.free();
  }
}

function packetsOf(bytes: Buffer): { packets: Buffer[]; position: number } {
  const packets: Buffer[] = [];
  let begun: Buffer[] = [];
  let position = 0;
  let ended = false;
  let sequence = 0;
  for (let at = 0; at < bytes.length; ) {
    if (bytes.toString('latin1', at, at + 4) !== 'OggS') throw new Error(`no page at ${at}`);
    if (ended) throw new Error('there is something after the last page');
    const segments = bytes.subarray(at + 27, at + 27 + bytes.readUInt8(at + 26));
    const start = at + 27 + segments.length;
    const end = start + segments.reduce((sum, each) => sum + each, 0);
    const page = Buffer.from(bytes.subarray(at, end));
    page.writeUInt32LE(0, 22);
    if (checksum(page) !== bytes.readUInt32LE(at + 22))
      throw new Error(`the page at ${at} has a wrong checksum`);
    if (bytes.readUInt32LE(at + 18) !== sequence) throw new Error(`page ${sequence} is missing`);
    sequence += 1;
    let from = start;
    for (const length of segments) {
      begun.push(bytes.subarray(from, from + length));
      from += length;
      if (length === 255) continue;
      packets.push(Buffer.concat(begun));
      begun = [];
    }
    position = Number(bytes.readBigInt64LE(at + 6));
    ended = (bytes.readUInt8(at + 5) & 4) !== 0;
    at = end;
  }
  if (!ended) throw new Error('there is no last page');
  return { packets, position };
}

/** CRC-32 with the polynomial 0x04c11db7, not reflected (RFC 3533 §6). */
function checksum(page: Buffer): number {
  let crc = 0;
  for (const byte of page) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

/** WAV files, made here. */

export interface WavOptions {
  seconds: number;
  rate: number;
  channels: number;
  coding: keyof typeof CODINGS;
}

/** `wFormatTag`, bits, and how a sample from −1 to 1 is written. */
const CODINGS = {
  u8: {
    tag: 1,
    bits: 8,
    write: (to: Buffer, at: number, value: number) => to.writeUInt8(128 + Math.round(value * 127), at),
  },
  s16: {
    tag: 1,
    bits: 16,
    write: (to: Buffer, at: number, value: number) => to.writeInt16LE(Math.round(value * 32_767), at),
  },
  s24: {
    tag: 1,
    bits: 24,
    write: (to: Buffer, at: number, value: number) => to.writeIntLE(Math.round(value * 8_388_607), at, 3),
  },
  s32: {
    tag: 1,
    bits: 32,
    write: (to: Buffer, at: number, value: number) => to.writeInt32LE(Math.round(value * 2_147_483_647), at),
  },
  f32: { tag: 3, bits: 32, write: (to: Buffer, at: number, value: number) => to.writeFloatLE(value, at) },
  muLaw: {
    tag: 7,
    bits: 8,
    write: (to: Buffer, at: number, value: number) => to.writeUInt8(muLaw(value), at),
  },
  aLaw: { tag: 6, bits: 8, write: (to: Buffer, at: number, value: number) => to.writeUInt8(aLaw(value), at) },
};

/** A tone of 440 Hz that grows louder. */
export function wav({ seconds, rate, channels, coding }: WavOptions): Buffer {
  const { tag, bits, write } = CODINGS[coding];
  const frame = (channels * bits) / 8;
  const samples = Math.round(seconds * rate);
  const bytes = Buffer.alloc(44 + samples * frame);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(tag, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(rate * frame, 28);
  bytes.writeUInt16LE(frame, 32);
  bytes.writeUInt16LE(bits, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(samples * frame, 40);
  for (let sample = 0; sample < samples; sample += 1) {
    const time = sample / rate;
    const value = 0.8 * (time / seconds) * Math.sin(2 * Math.PI * 440 * time);
    for (let channel = 0; channel < channels; channel += 1) {
      write(bytes, 44 + sample * frame + (channel * bits) / 8, value);
    }
  }
  return bytes;
}

/** As the table of ITU-T G.711 says: the code whose value is nearest. */
function muLaw(value: number): number {
  return nearest(value * 32_768, (code) => {
    const byte = ~code & 0xff;
    const size = (((byte & 0x0f) * 2 + 33) * 2 ** ((byte >> 4) & 7) - 33) * 4;
    return byte & 0x80 ? -size : size;
  });
}

function aLaw(value: number): number {
  return nearest(value * 32_768, (code) => {
    const byte = code ^ 0x55;
    const segment = (byte >> 4) & 7;
    const step = (byte & 0x0f) * 2 + 1;
    const size = (segment === 0 ? step : (step + 32) * 2 ** (segment - 1)) * 8;
    return byte & 0x80 ? size : -size;
  });
}

function nearest(value: number, decode: (code: number) => number): number {
  let best = 0;
  for (let code = 1; code < 256; code += 1) {
    if (Math.abs(decode(code) - value) < Math.abs(decode(best) - value)) best = code;
  }
  return best;
}

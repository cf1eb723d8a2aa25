/** The bars that a voice note shows, out of samples as they come. */

/** Bars of a voice note, each 0–100 (waE2E.AudioMessage `waveform`; Baileys Utils/messages-media.js `getAudioWaveform`). */
const BARS = 64;
/** Samples per second: enough to tell loud from silent. */
export const LOUDNESS_RATE = 8000;
/** Samples that are summed up as they come, so that an hour of sound is a list of 36 000 numbers: 0.1 s. */
const WINDOW = LOUDNESS_RATE / 10;

export class Loudness {
  readonly #windows: number[] = [];
  #sum = 0;
  #count = 0;

  /** 16 bits. */
  add(sample: number): void {
    this.#sum += Math.abs(sample);
    this.#count += 1;
    if (this.#count < WINDOW) return;
    this.#windows.push(this.#sum / this.#count);
    this.#sum = 0;
    this.#count = 0;
  }

  /** 64 bytes, the loudest 100. Nothing is added after that. */
  bars(): Uint8Array {
    if (this.#count > 0) this.#windows.push(this.#sum / this.#count);
    const windows = this.#windows;
    const loudness = Array.from({ length: BARS }, (_, bar) => {
      const from = Math.floor((bar * windows.length) / BARS);
      const to = Math.max(from + 1, Math.floor(((bar + 1) * windows.length) / BARS));
      const part = windows.slice(from, to);
      return part.reduce((total, each) => total + each, 0) / Math.max(part.length, 1);
    });
    const loudest = Math.max(...loudness);
    return Uint8Array.from(loudness, (each) => (loudest > 0 ? Math.round((each / loudest) * 100) : 0));
  }
}

/** What the gateway and the process that converts sound without ffmpeg say to each other. */

export type SoundTask = { path: string } & (
  | { kind: 'facts' }
  /** 64 bars of 0–100. */
  | { kind: 'waveform'; longestSeconds: number }
  /** Ogg/Opus into the file `out`; a voice note as phones make it, or music in stereo. */
  | { kind: 'opus'; out: string; voice: boolean; maxBytes: number; longestSeconds: number }
);

export interface SoundResult {
  seconds: number | null;
  bars?: Uint8Array;
}

/** `unsupported`: another program may be able to read it; else the file is damaged. */
export type SoundReply = { result: SoundResult } | { problem: string; unsupported: boolean };

/** What Baileys imports as `libsignal/src/protobufs.js`: it reads a sender's identity key before the message is opened. */
import { decodePreKeyFields } from './messages.ts';

/** A message that begins a session, without the version before it. */
export const PreKeyWhisperMessage = { decode: decodePreKeyFields };

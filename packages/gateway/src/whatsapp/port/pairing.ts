/** Linking the device to an account. The QR comes as an event. */
export interface SessionPairing {
  /** Asks for a pairing code for `phoneDigits`; 8 characters without a dash. Needs a connecting, unpaired session. */
  requestCode(phoneDigits: string): Promise<string>;
}

/**
 * libsignal writes whole session records, private keys included, to the console whenever it closes a session
 * in favour of another (session_record.js `console.info("Closing session:", session)`), which is an everyday
 * event for a phone, and has no switch for it. Its lines are taken out by their fixed beginnings.
 */
const LIBSIGNAL_LINES = [
  'Closing session:',
  'Closing open session in favor of incoming prekey bundle',
  'Opening session:',
  'Session already closed',
  'Session already open',
  'Removing old closed session:',
  'Decrypted message with closed session.',
];

let quiet = false;

/** Takes libsignal's session records out of the console, once for the process. */
export function silenceLibsignal(): void {
  if (quiet) return;
  quiet = true;
  for (const level of ['info', 'warn'] as const) {
    const write = console[level].bind(console);
    console[level] = (...args: unknown[]) => {
      const [first] = args;
      if (typeof first === 'string' && LIBSIGNAL_LINES.some((line) => first.startsWith(line))) return;
      write(...args);
    };
  }
}

import type { CloseReason, SessionConnection } from '../../src/whatsapp/port/connection.ts';
import { SessionNotOpen } from '../../src/whatsapp/port/errors.ts';
import type { SessionEvent } from '../../src/whatsapp/port/events.ts';
import type { PasskeyAnswer } from '../../src/whatsapp/port/passkey.ts';
import type { SessionFactory, SessionParts, WhatsAppSession } from '../../src/whatsapp/port/session.ts';
import { abilities } from '../whatsapp/idle-session.ts';

/** A session whose server is the test: it opens no socket and reports what it is told to. */
export class ScriptedSession implements SessionConnection {
  readonly options: SessionParts;
  readonly network: ScriptedNetwork;
  /** As the gateway gets it: this life, the scripted pairing, and idle parts otherwise. */
  readonly port: WhatsAppSession;
  alive = false;
  stops = 0;
  pairCodes = 0;
  readonly passkeyAnswers: PasskeyAnswer[] = [];
  passkeyConfirms = 0;
  /** What the next answers and confirmations end with. */
  passkeyError: Error | null = null;

  constructor(options: SessionParts, network: ScriptedNetwork) {
    this.options = options;
    this.network = network;
    this.port = {
      start: () => this.start(),
      stop: () => this.stop(),
      logout: () => this.logout(),
      ...abilities({
        pairing: { requestCode: (phoneDigits) => this.#pairCode(phoneDigits) },
        passkey: {
          answer: async (answer) => {
            if (this.passkeyError) throw this.passkeyError;
            this.passkeyAnswers.push(answer);
          },
          confirm: async () => {
            if (this.passkeyError) throw this.passkeyError;
            this.passkeyConfirms += 1;
          },
        },
      }),
    };
  }

  async start(): Promise<void> {
    if (this.network.failStart) throw new Error('no route to host');
    this.alive = true;
    this.network.changed();
    await this.report({ type: 'connecting' });
  }

  async stop(): Promise<void> {
    this.stops += 1;
    if (this.alive) {
      this.alive = false;
      await this.report({ type: 'closed', reason: 'stopped', detail: 'stopped', statusCode: null });
    }
    this.network.changed();
  }

  async logout(): Promise<void> {
    if (!this.alive) throw new SessionNotOpen();
    await this.network.beforeLogout?.();
    this.alive = false;
    this.network.loggedOut += 1;
    await this.report({
      type: 'closed',
      reason: 'logged_out',
      detail: 'Intentional Logout',
      statusCode: 401,
    });
  }

  async #pairCode(phoneDigits: string): Promise<string> {
    if (this.network.pairCodeError) throw this.network.pairCodeError;
    this.pairCodes += 1;
    return `${phoneDigits.slice(-4)}ABC${this.pairCodes}`;
  }

  report(event: SessionEvent): Promise<void> {
    return this.options.report(event);
  }

  qr(code: string, expiresAt: number): Promise<void> {
    return this.report({ type: 'qr', code, expiresAt });
  }

  /** The phone accepted the companion: the keys are kept and the server asks for a new connection. */
  async pairWith(digits: string): Promise<void> {
    await this.options.credentials.writeCredentials(new Uint8Array([1]));
    const jid = `${digits}@s.whatsapp.net`;
    await this.report({ type: 'paired', jid, lid: '900000000000001@lid', platform: 'android' });
    await this.close('restart_required', 515);
  }

  open(digits: string): Promise<void> {
    return this.report({ type: 'open', jid: `${digits}@s.whatsapp.net`, lid: null, pushName: 'Shop' });
  }

  close(reason: CloseReason, statusCode: number | null = null): Promise<void> {
    this.alive = false;
    return this.report({ type: 'closed', reason, detail: reason, statusCode });
  }
}

/** Every session that was made, in order, and the wait for the next. */
export class ScriptedNetwork {
  readonly sessions: ScriptedSession[] = [];
  failStart = false;
  loggedOut = 0;
  pairCodeError: Error | null = null;
  beforeLogout: (() => Promise<void>) | null = null;
  readonly #watchers = new Set<() => void>();

  readonly factory: SessionFactory = async (options) => {
    const session = new ScriptedSession(options, this);
    this.sessions.push(session);
    this.changed();
    return session.port;
  };

  /** The sessions whose socket would be open now. */
  get live(): ScriptedSession[] {
    return this.sessions.filter((session) => session.alive);
  }

  /** The session that was made last. */
  get last(): ScriptedSession {
    const session = this.sessions.at(-1);
    if (!session) throw new Error('no session was made');
    return session;
  }

  changed(): void {
    for (const watch of [...this.#watchers]) watch();
  }

  /** Resolves when `check` gives a value; it is asked again after each change of a session. */
  until<T>(check: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const watch = () => {
        const value = check();
        if (value === undefined) return;
        this.#watchers.delete(watch);
        resolve(value);
      };
      this.#watchers.add(watch);
      watch();
    });
  }

  /** The `index`-th session made, once it has started. */
  started(index: number): Promise<ScriptedSession> {
    return this.until(() => {
      const session = this.sessions[index];
      return session?.alive ? session : undefined;
    });
  }
}

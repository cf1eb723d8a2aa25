/**
 * The passkey step of linking, in a terminal: a link to the page that helps, the lines for the console of
 * web.whatsapp.com, the code to compare. What is typed meanwhile is an answer to be handed in, or says whether
 * the code is the same.
 */
import { consoleSnippet } from '../passkey-pages.ts';
import { data, type PairingApi, type PasskeyStatus } from './pairing-api.ts';

/** A pasted answer has about 1 kB. */
const LONGEST_LINE = 65_536;

export class PasskeyInTerminal {
  readonly #api: PairingApi;
  readonly #print: (line: string) => void;
  readonly #typed: string[] = [];
  /** The challenge that was shown last: another one needs another link. */
  #challenge: unknown;
  #told: PasskeyStatus['step'] | null = null;

  constructor(api: PairingApi, print: (line: string) => void) {
    this.#api = api;
    this.#print = print;
  }

  /** Takes a line that somebody typed or pasted. */
  typed(line: string): void {
    const text = line.trim();
    if (text !== '' && text.length <= LONGEST_LINE) this.#typed.push(text);
  }

  /** Shows how far the step is, and does what was typed; true when it has gone on since the last time. */
  async follow(passkey: PasskeyStatus): Promise<boolean> {
    const news = passkey.step === 'required' ? await this.#offer(passkey) : passkey.step !== this.#told;
    this.#told = passkey.step;
    if (news) this.#tell(passkey);
    const line = this.#typed.shift();
    if (line !== undefined) await this.#take(line, passkey);
    return news;
  }

  /** Why there is no passkey step any more, where it came to nothing. */
  ended(reason: string | null | undefined): string | null {
    if (this.#told === null) return null;
    this.#told = null;
    this.#challenge = undefined;
    return reason?.startsWith('passkey_') ? (ENDS[reason] ?? null) : null;
  }

  async #offer({ ttl }: PasskeyStatus): Promise<boolean> {
    const asked = await this.#api.passkey('GET');
    const options = asked.body.data?.request_options;
    if (options === undefined || options.challenge === this.#challenge) return false;
    const link = await this.#api.passkey('GET', '/link');
    // It was over in between, and the next look at the device says why.
    if (link.body.error_code?.startsWith('PASSKEY_')) return false;
    const { url } = data(link);
    this.#challenge = options.challenge;
    for (const line of [
      '',
      `WhatsApp asks for the passkey of this account; ${Math.ceil(ttl / 60)} min left. Keep WhatsApp open on the phone.`,
      'In the browser where the passkey can be used, open this link, which works once:',
      '',
      `  ${url}`,
      '',
      'Or without the page: paste these lines into the console (F12) of https://web.whatsapp.com, sign, and paste',
      'the answer here.',
      '',
      consoleSnippet(options),
    ]) {
      this.#print(line);
    }
    return true;
  }

  #tell({ step, code }: PasskeyStatus): void {
    if (step === 'verifying')
      this.#print('The passkey was handed in. Look at the phone: it may ask something.');
    if (step === 'confirm') {
      this.#print(
        `Does WhatsApp on the phone show the code ${code}? Type yes or no here, or press it on the page.`,
      );
    }
    if (step === 'linking') {
      this.#print(
        `The phone takes the device in${code === null ? '' : `; should it show a code, it is ${code}`}.`,
      );
    }
  }

  async #take(line: string, { step }: PasskeyStatus): Promise<void> {
    if (step === 'confirm') {
      const answer = line.toLowerCase();
      if (answer === 'yes' || answer === 'y') return this.#said(await this.#api.passkey('POST', '/confirm'));
      if (answer === 'no' || answer === 'n') return this.#said(await this.#api.passkey('DELETE'));
      this.#print('Type yes if the phone shows the same code, no if it differs.');
      return;
    }
    if (step !== 'required') return;
    const assertion = parsed(line);
    if (assertion === null)
      this.#print('That is no answer of a passkey: paste all of the line that was copied.');
    else this.#said(await this.#api.passkey('POST', '', assertion));
  }

  /** What the gateway refuses is told, and may be tried again. */
  #said({ status, body }: { status: number; body: { error?: string } }): void {
    if (status !== 200) this.#print(`Not taken: ${body.error ?? status}`);
  }
}

const ENDS: Record<string, string> = {
  passkey_expired: 'the time for the passkey is over',
  passkey_given_up: 'the linking was stopped',
  passkey_refused: 'WhatsApp or the phone refused',
  passkey_failed: 'what WhatsApp or the phone answered could not be used',
};

function parsed(line: string): unknown {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** The page that helps with the passkey step, as a browser asks it, with a session that reports what it is told to. */
import type { InjectOptions } from 'fastify';
import { expect } from 'vitest';
import type { Caller } from '../../src/tenancy/caller.ts';
import type { PasskeyRequestOptions } from '../../src/whatsapp/port/passkey.ts';
import { SoftwareAuthenticator } from '../worlds/authenticator.ts';
import { InstancesApi } from './instances-api.ts';
import type { ScriptedSession } from './scripted-session.ts';

const PUBLIC_URL = 'https://gateway.example/wuts';
export const MINUTE = 60_000;
export const OPTIONS: PasskeyRequestOptions = {
  challenge: 'FC6vcJgP-Ov_66yfWgoh1w8m_trR92BnFDhg-e5JEwk',
  timeout: 10 * MINUTE,
  rpId: 'whatsapp.com',
  allowCredentials: [],
  userVerification: 'required',
  extensions: { uvm: true },
};
/** What a browser says of a request that our own page makes. */
export const OWN = { origin: 'https://gateway.example', 'sec-fetch-site': 'same-origin' };
export const UNKNOWN = { status: 404, body: { error_code: 'PASSKEY_LINK_UNKNOWN' } };

/** A device that is being linked, and the page for it. */
export class PasskeyPage {
  readonly passkey = new SoftwareAuthenticator();
  readonly api: InstancesApi;
  readonly caller: Caller;
  readonly id: string;
  session: ScriptedSession;

  private constructor(api: InstancesApi, caller: Caller, id: string, session: ScriptedSession) {
    this.api = api;
    this.caller = caller;
    this.id = id;
    this.session = session;
  }

  static async open(options: { publicUrl?: string } = { publicUrl: PUBLIC_URL }): Promise<PasskeyPage> {
    const api = await InstancesApi.create(options);
    const caller = await api.user();
    const id = (await api.askQr(caller, '/qr', '2@first')).body.data.device_id as string;
    return new PasskeyPage(api, caller, id, await api.world.network.started(0));
  }

  close(): Promise<void> {
    return this.api.destroy();
  }

  asked(options = OPTIONS): Promise<void> {
    return this.session.report({ type: 'passkey_required', options });
  }

  /** Where a new link leads, and the token in it. */
  async newLink(): Promise<{ url: string; token: string }> {
    const { status, body } = await this.api.call(this.caller, 'GET', `/devices/${this.id}/passkey/link`);
    expect(status).toBe(200);
    const url = body.data.url as string;
    return { url, token: new URL(url).hash.slice(1) };
  }

  browser(): Browser {
    return new Browser(this.api);
  }
}

/** A browser with its cookies, on our page unless its headers say otherwise. */
class Browser {
  readonly cookies = new Map<string, string>();
  readonly #api: InstancesApi;

  constructor(api: InstancesApi) {
    this.#api = api;
  }

  async ask(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    payload?: object,
    headers: Record<string, string> = OWN,
  ) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const options: InjectOptions = {
      method,
      url: `/passkey/${path}`,
      headers: { ...headers, ...(cookie && { cookie }) },
      ...(payload && { payload }),
    };
    const answer = await this.#api.browser(options);
    const { 'set-cookie': set } = answer.headers;
    const [name, value] = typeof set === 'string' ? (set.split(';')[0] ?? '').split('=') : [];
    if (name && value) this.cookies.set(name, value);
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
  }

  async open(token: string): Promise<string> {
    const { status, body } = await this.ask('POST', 'open', { token });
    expect(status).toBe(200);
    return body.data.link;
  }
}

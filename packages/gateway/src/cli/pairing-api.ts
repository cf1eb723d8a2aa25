/** What `wuts pair` asks of a running gateway. */

export interface PasskeyStatus {
  step: 'required' | 'verifying' | 'confirm' | 'linking';
  ttl: number;
  code: string | null;
}

export interface Answer {
  status: number;
  body: {
    error?: string;
    error_code?: string;
    devices?: { id: string; linked: boolean }[];
    device?: { id: string };
    data?: {
      qr_url?: string;
      expires_at?: string;
      code?: string;
      connected?: boolean;
      phone_number?: string;
      state_reason?: string | null;
      passkey?: PasskeyStatus | null;
      request_options?: Record<string, unknown>;
      url?: string;
    };
  };
}

export class PairingApi {
  readonly #input: { url: string; token: string; deviceId?: string | undefined };

  constructor(input: { url: string; token: string; deviceId?: string | undefined }) {
    this.#input = input;
  }

  async request(method: string, path: string, body?: unknown): Promise<Answer> {
    const url = new URL(path, this.#input.url);
    if (this.#input.deviceId !== undefined) url.searchParams.set('device_id', this.#input.deviceId);
    return this.#ask(method, url, body);
  }

  /** `rest` of the passkey step of the device. */
  passkey(method: string, rest = '', body?: unknown): Promise<Answer> {
    const url = new URL(`/devices/${this.#input.deviceId}/passkey${rest}`, this.#input.url);
    return this.#ask(method, url, body);
  }

  async #ask(method: string, url: URL, body: unknown): Promise<Answer> {
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${this.#input.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }
}

/** The data of a success; anything else throws what the gateway said. */
export function data(answer: Answer): NonNullable<Answer['body']['data']> {
  if (answer.status === 200 && answer.body.data) return answer.body.data;
  throw refused(answer);
}

export function refused({ status, body }: Answer): Error {
  return new Error(`the gateway answered ${status}: ${body.error ?? 'no reason'}`);
}

/** A caller of the public HTTP API that shows each request as the curl line a reader could type. */
import { answer, request, shortJson } from './printer.ts';
import { check, until } from './surprise.ts';

/** JSON as the parser gives it. */
export type Json = ReturnType<typeof JSON.parse>;

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed JSON, undefined for media. */
  body: Json;
  bytes: Buffer;
}

export class Api {
  readonly #base: () => string;
  readonly token: string;
  readonly #variable: string;

  /** `variable` is what the curl lines show in place of the token, for example `$TOKEN`. */
  constructor(base: () => string, token: string, variable: string) {
    this.#base = base;
    this.token = token;
    this.#variable = variable;
  }

  /** Sends, shows request and answer, and ends the demo unless the status is the expected one. */
  async call(method: string, path: string, expected: number, body?: unknown): Promise<Answer> {
    request(this.curl(method, path, body));
    const got = await this.quiet(method, path, body);
    show(got);
    if (got.status !== expected) check(`${method} ${path}`, got.status, expected);
    return got;
  }

  get = (path: string, expected = 200) => this.call('GET', path, expected);
  post = (path: string, body?: unknown, expected = 200) => this.call('POST', path, expected, body);
  put = (path: string, body: unknown, expected = 200) => this.call('PUT', path, expected, body);

  /** Asks until the answer is as wanted; shows the request once and the last answer. */
  async poll(path: string, what: string, wanted: (got: Answer) => boolean): Promise<Answer> {
    request(this.curl('GET', path));
    let asked = 0;
    const got = await until(what, async () => {
      asked += 1;
      const each = await this.quiet('GET', path);
      return wanted(each) && each;
    });
    show(got, asked);
    return got;
  }

  async quiet(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.#base()}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const isJson = response.headers.get('content-type')?.includes('application/json') && bytes.length > 0;
    const parsed: Json = isJson ? JSON.parse(bytes.toString('utf8')) : undefined;
    return { status: response.status, headers: response.headers, body: parsed, bytes };
  }

  curl(method: string, path: string, body?: unknown): string {
    const words = ['curl -s'];
    if (method !== 'GET') words.push(`-X ${method}`);
    const url = `${this.#base()}${path}`;
    words.push(/[?&]/.test(url) ? `'${url}'` : url, `-H "Authorization: Bearer ${this.#variable}"`);
    if (body !== undefined) words.push("-H 'Content-Type: application/json'", `-d '${shortJson(body)}'`);
    return words.join(' ');
  }
}

function show(got: Answer, asked = 1): void {
  const type = got.headers.get('content-type') ?? 'no content';
  const what = got.body === undefined ? `${got.bytes.length} bytes, ${type}` : shortJson(got.body);
  answer(got.status, what, asked);
}

/** The gateway as its users run it, in a process of its own, with the default durable settings. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Dispatcher, FormData, Pool } from 'undici';
import { nodeArguments } from './processes/calls.ts';

const MAIN = fileURLToPath(new URL('../packages/gateway/src/main.ts', import.meta.url));
const MASTER_TOKEN = 'bench-3f6d1c0e9a7b5248-master-token';
/** More than any scenario asks at the same time. */
const CONNECTIONS = 64;

export interface HttpAnswer {
  status: number;
  bytes: number;
  /** Parsed JSON, or undefined. */
  body: ReturnType<typeof JSON.parse>;
}

/** One keep-alive client of one server. */
export class HttpClient {
  readonly #pool: Pool;
  readonly #token: string | undefined;
  readonly #headers: Record<string, string>;

  constructor(url: string, token?: string) {
    this.#token = token;
    this.#pool = new Pool(url, { connections: CONNECTIONS, pipelining: 1 });
    this.#headers = token ? { authorization: `Bearer ${token}` } : {};
  }

  /** The same caller of a server at another address. */
  at(url: string): HttpClient {
    return new HttpClient(url, this.#token);
  }

  async call(method: 'GET' | 'POST', path: string, json?: object): Promise<HttpAnswer> {
    return this.#request(
      { method, path, body: json ? JSON.stringify(json) : null },
      json ? { 'content-type': 'application/json' } : {},
    );
  }

  /** Posts a form with a file, which is streamed from the disk. Throws unless the status is 2xx. */
  async upload(path: string, fields: Record<string, string>, file: string): Promise<HttpAnswer> {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('file', await openAsBlob(file), basename(file));
    const answer = await this.#request({ method: 'POST', path, body: form }, {});
    return succeeded(answer, `POST ${path}`);
  }

  async #request(
    request: Pick<Dispatcher.RequestOptions, 'method' | 'path' | 'body'>,
    further: Record<string, string>,
  ): Promise<HttpAnswer> {
    const { statusCode, headers, body } = await this.#pool.request({
      ...request,
      headers: { ...this.#headers, ...further },
    });
    if (String(headers['content-type']).startsWith('application/json')) {
      const text = await body.text();
      return { status: statusCode, bytes: text.length, body: text === '' ? undefined : JSON.parse(text) };
    }
    let bytes = 0;
    for await (const chunk of body) bytes += (chunk as Buffer).length;
    return { status: statusCode, bytes, body: undefined };
  }

  /** As `call`; throws unless the status is 2xx. */
  async ok(method: 'GET' | 'POST', path: string, json?: object): Promise<HttpAnswer> {
    return succeeded(await this.call(method, path, json), `${method} ${path}`);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

function succeeded(answer: HttpAnswer, asked: string): HttpAnswer {
  if (answer.status < 300) return answer;
  throw new Error(`${asked}: ${answer.status} ${JSON.stringify(answer.body)}`);
}

export class GatewayProcess {
  readonly url: string;
  readonly pid: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.url = url;
  }

  static async start(options: {
    dataDir: string;
    network?: { url: string; rootKey: string; caFile: string };
    settings?: Record<string, string>;
    profileDir?: string | null;
  }): Promise<GatewayProcess> {
    const { network } = options;
    const child = spawn(process.execPath, [...nodeArguments(options.profileDir), MAIN, 'serve'], {
      env: {
        PATH: process.env.PATH,
        WUTS_PORT: '0',
        WUTS_DATA_DIR: options.dataDir,
        WUTS_MASTER_TOKEN: MASTER_TOKEN,
        ...(network && {
          WUTS_NETWORK_URL: network.url,
          WUTS_NETWORK_ROOT_KEY: network.rootKey,
          WUTS_NETWORK_CA_FILE: network.caFile,
        }),
        // The receiver is on loopback.
        WUTS_ALLOW_NETWORKS: '127.0.0.0/8',
        // The bare client beside us sends as fast as it can.
        WUTS_PACE_PER_MINUTE: '0',
        ...options.settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    const collect = (line: string) => said.push(line) > 30 && said.shift();
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', collect);
    const url = await new Promise<string>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}: ${said.join('\n')}`)));
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        collect(line);
        // Warnings of a gateway under load belong to what a benchmark finds out.
        if (/"level":(?:4|5|6)0/.test(line) || /"level":"(?:warn|error)/.test(line)) console.error(line);
        const found = /"url":"(http:[^"]+)".*the gateway answers/.exec(line);
        if (found?.[1]) resolve(found[1]);
      });
    });
    return new GatewayProcess(child, url);
  }

  /** Registers a tenant; a client with its first admin's token. */
  async tenant(): Promise<HttpClient> {
    const master = new HttpClient(this.url, MASTER_TOKEN);
    const answer = await master.ok('POST', '/register', {
      tenant_name: 'bench',
      email: 'admin@bench.example',
      password: 'correct horse battery',
    });
    await master.close();
    return new HttpClient(this.url, answer.body.token);
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Phone } from '@wuts/sandbox';
import { expect } from 'vitest';
import { type Json, MASTER_TOKEN, World } from '../packages/gateway/test/end-to-end/harness.ts';

const ROOT = join(import.meta.dirname, '..');

/** What the curl lines of README and guides are run against: a gateway on the sandbox, a shop and a contact. */
export class Tour {
  /** What the blocks find in their environment, filled as the tour goes on. */
  readonly variables = {
    TOKEN: '',
    ID: '',
    NUMBER: '',
    MEDIA_ID: '',
    GROUP: '',
    POLL: '',
    JOB: '',
    BULK: '',
    DEVICE: '',
    PROXY_URL: '',
    INVITE: '',
    COMMUNITY: '',
    CALL: '',
    NEWSLETTER: '',
    POST: '',
    ORDER: '',
    ORDER_TOKEN: '',
    ORDER_MESSAGE: '',
    STORY: '',
    SEEN: '',
    LABEL: '',
  };
  /** Marked blocks that were not run yet, by name. */
  readonly blocks = new Map<string, string>();
  #opened: Opened | null = null;

  get #now(): Opened {
    if (!this.#opened) throw new Error('the tour is not open');
    return this.#opened;
  }
  /** Where blocks run. */
  get folder(): string {
    return this.#now.folder;
  }
  get world(): World {
    return this.#now.world;
  }
  get shop(): Phone {
    return this.#now.shop;
  }
  get contact(): Phone {
    return this.#now.contact;
  }

  async open(): Promise<void> {
    for (const file of await pages()) {
      const text = await readFile(file, 'utf8');
      for (const [, name = '', script = ''] of text.matchAll(
        /<!-- test: ([\w-]+) -->\n```bash\n([\s\S]*?)```/g,
      )) {
        this.blocks.set(name, script);
      }
    }
    const folder = await mkdtemp(join(tmpdir(), 'wuts-docs-'));
    const world = await World.create({
      sandbox: { companionRegRefresh: 'never' },
      settings: { WUTS_ALLOW_NETWORKS: '127.0.0.0/8' },
    });
    const shop = await world.sandbox.createPhone({ number: '5511999994001', name: 'Shop' });
    await shop.becomeBusiness({ name: 'Shop' });
    const contact = await world.sandbox.createPhone({ number: '5511999994002', name: 'Contact' });
    this.variables.NUMBER = contact.number;
    this.variables.GROUP = (await shop.createGroup('Team', [contact])).jid;
    this.#opened = { folder, world, shop, contact };
  }

  async close(): Promise<void> {
    await this.#opened?.world.destroy();
    if (this.#opened) await rm(this.#opened.folder, { recursive: true, force: true });
  }

  /** Runs a block in an empty folder; any HTTP status from 400 on fails it. Returns what it printed. */
  async run(name: string): Promise<string> {
    const script = this.blocks.get(name);
    if (script === undefined) throw new Error(`no block is marked "<!-- test: ${name} -->"`);
    this.blocks.delete(name);
    const strict = 'set -eu\ncurl() { command curl --fail-with-body "$@"; }\n';
    const child = spawn('bash', ['-c', `${strict}${script}`], {
      cwd: this.folder,
      env: { PATH: process.env.PATH, BASE: this.world.gateway.url, MASTER_TOKEN, ...this.variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    const [code] = await once(child, 'close');
    const text = Buffer.concat(output).toString('utf8');
    expect(code, text).toBe(0);
    return text;
  }
}

interface Opened {
  folder: string;
  world: World;
  shop: Phone;
  contact: Phone;
}

async function pages(): Promise<string[]> {
  const guides = (await readdir(import.meta.dirname)).filter((name) => name.endsWith('.md'));
  return [join(ROOT, 'README.md'), ...guides.map((name) => join(import.meta.dirname, name))];
}

/** `curl -s` ends its output without a line break: answers stand side by side. */
export function answers(output: string): Json[] {
  return output
    .replaceAll('}{', '}\n{')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

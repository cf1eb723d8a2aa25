import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebhookWorld } from './webhook-world.ts';

const ROOT = join(import.meta.dirname, '../../../..');

interface Delivery {
  headers: Record<string, string>;
  body: string;
  secret: string;
}

export interface Language {
  name: string;
  file: string;
  /** Reads a JSON list of deliveries from standard input and prints a JSON list of [standard, member]. */
  driver: { file: string; code: string };
  run(folder: string): string[];
}

let page: string;
let world: WebhookWorld;
const deliveries: Delivery[] = [];

/** Runs the verification recipes of docs/webhooks.md as they stand there, on deliveries as they arrive. */
export function recipesHold(languages: readonly Language[]): void {
  beforeAll(async () => {
    page = await readFile(join(ROOT, 'docs/webhooks.md'), 'utf8');
    world = await WebhookWorld.create();
    // The recipes compare the timestamp with the time of day.
    world.clock.advance(Math.max(0, Date.now() - world.clock.now()));
    for (const secret of ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'a plain secret, with ção']) {
      const { receiver, device, endpoint } = await world.connected({ secret });
      await world.recordEvent(device, 'message.received', 'chat', {
        content: 'Olá 👋 ","signature":"sha256=fake"}',
      });
      await world.untilStates(endpoint, 'delivered');
      const [got] = receiver.received;
      if (!got) throw new Error('nothing came');
      deliveries.push({ headers: got.headers, body: got.text, secret });
    }
  });
  afterAll(() => world?.destroy());

  describe.each(languages)('the recipe in $name', (language) => {
    test('accepts what we sent and nothing that was changed', async () => {
      const changed = deliveries.flatMap((delivery) => [
        { ...delivery, body: delivery.body.replace('Olá', 'Ola') },
        { ...delivery, secret: delivery.secret.replace('a', 'b') },
        { ...delivery, body: '{}', headers: { ...delivery.headers } },
      ]);
      const old = deliveries.map((delivery) => ({
        ...delivery,
        headers: { ...delivery.headers, 'webhook-timestamp': String(Math.floor(Date.now() / 1000) - 3600) },
      }));
      expect(recipe(language.name)).not.toBe('');
      expect(await verdicts(language, deliveries)).toEqual(deliveries.map(() => [true, true]));
      expect(await verdicts(language, changed)).toEqual(changed.map(() => [false, false]));
      // The member covers no time.
      expect(await verdicts(language, old)).toEqual(old.map(() => [false, true]));
    });
  });
}

function recipe(name: string): string {
  const block = new RegExp(`<!-- recipe: ${name} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(page);
  if (!block?.[1]) throw new Error(`docs/webhooks.md has no recipe for ${name}`);
  return block[1];
}

async function verdicts(language: Language, given: Delivery[]): Promise<[boolean, boolean][]> {
  const folder = await mkdtemp(join(tmpdir(), 'wuts-recipe-'));
  try {
    await writeFile(join(folder, language.file), recipe(language.name));
    await writeFile(join(folder, language.driver.file), language.driver.code);
    const [command = '', ...options] = language.run(folder);
    const child = spawn(command, options, { cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.stdin.end(JSON.stringify(given));
    const [code] = await once(child, 'close');
    expect(code, Buffer.concat(errors).toString('utf8')).toBe(0);
    return JSON.parse(Buffer.concat(output).toString('utf8'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

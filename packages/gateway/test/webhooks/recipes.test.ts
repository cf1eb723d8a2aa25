/** Runs the verification recipes of docs/webhooks.md as they stand there, on deliveries as they arrive. */
import { spawn, spawnSync } from 'node:child_process';
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

interface Language {
  name: string;
  /** Says that the language is at hand. */
  probe: string[];
  file: string;
  /** Reads a JSON list of deliveries from standard input and prints a JSON list of [standard, member]. */
  driver: { file: string; code: string };
  run(folder: string): string[];
}

const LANGUAGES: Language[] = [
  {
    name: 'typescript',
    probe: [process.execPath, '--version'],
    file: 'recipe.ts',
    driver: {
      file: 'driver.ts',
      code: `import { readFileSync } from 'node:fs';
import { verifySignature, verifyStandard } from './recipe.ts';
const deliveries = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify(deliveries.map(({ headers, body, secret }) =>
  [verifyStandard(headers, body, secret), verifySignature(body, secret)])));`,
    },
    run: (folder) => [process.execPath, join(folder, 'driver.ts')],
  },
  {
    name: 'python',
    probe: ['python3', '--version'],
    file: 'recipe.py',
    driver: {
      file: 'driver.py',
      code: `import json, sys
from recipe import verify_signature, verify_standard
print(json.dumps([[verify_standard(d["headers"], d["body"].encode(), d["secret"]),
                   verify_signature(d["body"].encode(), d["secret"])] for d in json.load(sys.stdin)]))`,
    },
    run: (folder) => ['python3', join(folder, 'driver.py')],
  },
  {
    name: 'php',
    probe: ['php', '--version'],
    file: 'recipe.php',
    driver: {
      file: 'driver.php',
      code: `<?php require __DIR__ . '/recipe.php';
echo json_encode(array_map(fn ($d) => [verify_standard($d['headers'], $d['body'], $d['secret']),
  verify_signature($d['body'], $d['secret'])], json_decode(file_get_contents('php://stdin'), true)));`,
    },
    run: (folder) => ['php', join(folder, 'driver.php')],
  },
  {
    name: 'go',
    probe: ['go', 'version'],
    file: 'recipe.go',
    driver: {
      file: 'driver.go',
      code: `package main
import ("encoding/json"; "net/http"; "os")
func main() {
  var deliveries []struct { Headers map[string]string; Body, Secret string }
  json.NewDecoder(os.Stdin).Decode(&deliveries)
  results := [][]bool{}
  for _, d := range deliveries {
    header := http.Header{}
    for name, value := range d.Headers { header.Set(name, value) }
    results = append(results, []bool{VerifyStandard(header, []byte(d.Body), d.Secret), VerifySignature([]byte(d.Body), d.Secret)})
  }
  json.NewEncoder(os.Stdout).Encode(results)
}`,
    },
    run: (folder) => ['go', 'run', join(folder, 'recipe.go'), join(folder, 'driver.go')],
  },
];

let page: string;
let world: WebhookWorld;
const deliveries: Delivery[] = [];

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

/** Where CI runs, every language must be there: `.ci/run` installs them. */
const atHand = (language: Language): boolean => {
  const [command = '', ...options] = language.probe;
  const found = spawnSync(command, options).status === 0;
  if (!found && process.env.CI) throw new Error(`${language.name} is not installed: see .ci/run`);
  return found;
};

describe.each(LANGUAGES)('the recipe in $name', (language) => {
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
    if (!atHand(language)) return;
    expect(await verdicts(language, deliveries)).toEqual(deliveries.map(() => [true, true]));
    expect(await verdicts(language, changed)).toEqual(changed.map(() => [false, false]));
    // The member covers no time.
    expect(await verdicts(language, old)).toEqual(old.map(() => [false, true]));
  });
});

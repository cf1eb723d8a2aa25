import { createInterface } from 'node:readline';
import { Command, Option } from 'commander';
import {
  createTenant,
  exportJournal,
  listTenants,
  migrate,
  rotateToken,
  showMasterToken,
} from './cli/administration.ts';
import { doctor } from './cli/doctor.ts';
import { importSession } from './cli/import.ts';
import { rotateEncryptionKey } from './cli/key.ts';
import { pair } from './cli/pair.ts';
import { serve } from './cli/serve.ts';
import { ConfigError } from './config.ts';
import { AppError } from './errors.ts';
import { FolderInUse } from './storage/database.ts';
import { VERSION } from './version.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const { env } = process;
// Database, keys and media are for this user alone, also in a data folder that others may enter.
process.umask(0o077);

function commands(): Command {
  const program = new Command('wuts')
    .description('Self-hosted, multi-tenant WhatsApp gateway. Settings come from the environment (WUTS_*).')
    .version(VERSION);

  program
    .command('serve')
    .description('run the gateway')
    .action(() => serve(env));

  program
    .command('migrate')
    .description('bring the database up to date (serve does it too)')
    .action(() => migrate(env, print));

  const tenant = program.command('tenant').description('tenants of this installation');
  tenant
    .command('create')
    .description('make a tenant and its first admin')
    .requiredOption('--name <name>', 'name of the tenant')
    .requiredOption('--email <email>', 'email of the admin')
    .addOption(
      new Option('--password <password>', 'password of the admin; better from the environment')
        .env('WUTS_PASSWORD')
        .makeOptionMandatory(),
    )
    .option('--webhook-url <url>', 'webhook for the first device')
    .action((options) => createTenant(env, options, print));
  tenant
    .command('list')
    .description('list them')
    .action(() => listTenants(env, print));

  const token = program.command('token').description('bearer tokens');
  token
    .command('rotate')
    .argument('<user>', 'id or email of the user')
    .description("replace a user's token")
    .action((user: string) => rotateToken(env, user, print));
  token
    .command('master')
    .description("show the platform's master token")
    .action(() => showMasterToken(env, print));

  program
    .command('journal')
    .description('what came from WhatsApp and could not be stored')
    .command('export')
    .description('print it, a JSON object a line; it holds messages in the clear')
    .option('--tenant <id>', 'of one tenant')
    .action((options) => exportJournal(env, options, print));

  program
    .command('key')
    .description('the key that everything secret is stored under')
    .command('rotate')
    .description('put WUTS_NEW_ENCRYPTION_KEY in its place; the gateway has to be stopped')
    .action(() => rotateEncryptionKey(env, print));

  program
    .command('doctor')
    .description('check this machine and its settings')
    .action(async () => {
      if (!(await doctor(env, print))) process.exitCode = 1;
    });

  program
    .command('pair')
    .description('link a phone to a running gateway')
    .addOption(
      new Option('--url <url>', 'where the gateway answers').env('WUTS_URL').default('http://127.0.0.1:3000'),
    )
    .addOption(new Option('--token <token>', "a user's token").env('WUTS_TOKEN').makeOptionMandatory())
    .option('--device <id>', 'which device; without it one that waits for a phone, or a new one')
    .option('--name <name>', 'of a new device')
    .option('--phone <number>', 'link by a code typed on this phone')
    .action((options) =>
      pair(
        {
          url: options.url,
          token: options.token,
          deviceId: options.device,
          name: options.name,
          phone: options.phone,
          typed: linesTyped,
        },
        print,
      ),
    );

  addImport(program);
  return program;
}

function addImport(program: Command): void {
  program
    .command('import')
    .description('take over a session that another program has linked; stop that one first')
    .argument('<path>', 'its folder, archive, database file or export')
    .addOption(
      new Option('--url <url>', 'where the gateway answers').env('WUTS_URL').default('http://127.0.0.1:3000'),
    )
    .addOption(new Option('--token <token>', "a user's token").env('WUTS_TOKEN').makeOptionMandatory())
    .option('--device <id>', 'which device; without it one that waits for a phone, or a new one')
    .option('--name <name>', 'of a new device')
    .option('--format <format>', 'whose it is; without it, what it is recognised as')
    .option('--session <name>', 'which one, where there are several')
    .option('--force', 'although the other program seems to run')
    .option('--dry-run', 'check everything, say what would be taken, and change nothing')
    .action((path: string, { device: deviceId, ...options }) =>
      importSession({ ...options, path, deviceId }, print),
    );
}

/** Lines of this terminal; they keep the command alive no longer than it runs anyway. */
function linesTyped(line: (text: string) => void): void {
  if (!process.stdin.isTTY) return;
  createInterface({ input: process.stdin }).on('line', line);
  process.stdin.unref();
}

try {
  await commands().parseAsync();
} catch (error) {
  const expected = error instanceof ConfigError || error instanceof AppError || error instanceof FolderInUse;
  process.stderr.write(`${expected ? (error as Error).message : readable(error)}\n`);
  process.exitCode = 1;
}

/** A stack helps with what we did not foresee; `pair`, `import` and `listen` fail with plain reasons. */
function readable(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error || ['pair', 'import'].includes(process.argv[2] ?? '')) return error.message;
  return error.stack ?? error.message;
}

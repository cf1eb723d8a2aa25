import { join } from 'node:path';
import { type Config, ConfigError, loadConfig, notKnown, WHATSAPP_NETWORK_URL } from '../config.ts';
import { MASTER_TOKEN_FILE } from '../first-start.ts';
import { createGateway, type Gateway } from '../gateway.ts';
import { portProblem } from './port.ts';

/** EX_IOERR of sysexits.h. */
const EXIT_STORE_LOST = 74;

/**
 * Ends the process where it stands, as a crash does. Nothing is closed: closing the database would carry the
 * log over without proving it, which the next start does (`recoverLog`).
 */
export function onStoreLost(): never {
  process.exit(EXIT_STORE_LOST);
}

/** Runs the gateway until it is told to stop (SIGTERM, SIGINT). */
export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  const settings = loadConfig(env);
  // Before anything is made: a data folder beside a running gateway helps nobody.
  const obstacle = await portProblem(settings);
  if (obstacle !== null) throw new ConfigError([obstacle]);
  const gateway = await createGateway(settings, { onStoreLost });
  const { log } = gateway;
  for (const { name, meant } of settings.unknownSettings)
    log.warn({ setting: name }, `${name} ${notKnown(meant)}`);
  // One session's stray promise must not take the devices of every tenant down.
  process.on('unhandledRejection', (reason) => log.error({ err: reason }, 'a rejection was not handled'));
  // The program that reads our output may end. pino handles that for standard output.
  process.stderr.on('error', () => undefined);
  process.on('uncaughtException', (error) => {
    // Not `fatal`, which flushes: sonic-boom's flushSync tries for ever on a pipe that nobody reads (EPIPE).
    log.error({ err: error }, 'an exception was not handled: stopping');
    void end(gateway, 1);
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // A second signal means it: no more waiting.
    process.once(signal, () => {
      process.once(signal, () => process.exit(1));
      void end(gateway, 0);
    });
  }
  await gateway.start();
  // Standard error: standard output is the log, which a machine may read.
  process.stderr.write(await greeting(gateway, env));
}

async function end(gateway: Gateway, code: number): Promise<void> {
  await gateway.stop();
  process.exit(code);
}

async function greeting(gateway: Gateway, env: NodeJS.ProcessEnv): Promise<string> {
  const lines = [`WUTS answers on ${gateway.url} (docs: ${gateway.url}/docs)`];
  if (gateway.config.network.url !== WHATSAPP_NETWORK_URL) {
    lines.push(`Network: ${gateway.config.network.url}, not WhatsApp.`);
  }
  if (gateway.created.length > 0) {
    lines.push('', 'Made now, readable by you alone. Keep a copy: without the key the data is lost.');
    lines.push(...gateway.created.map((file) => `  ${file}`));
  }
  if ((await gateway.parts.tenants.list()).length === 0)
    lines.push('', ...firstSteps(gateway.url, masterTokenInShell(gateway.config, env)));
  return `${lines.join('\n')}\n`;
}

/** How a shell gets at the master token, wherever this gateway has it from. */
function masterTokenInShell(config: Config, env: NodeJS.ProcessEnv): string {
  if (env.WUTS_MASTER_TOKEN) return '$WUTS_MASTER_TOKEN';
  const file = env.WUTS_MASTER_TOKEN_FILE || join(config.dataDir, MASTER_TOKEN_FILE);
  return `$(cat '${file}')`;
}

function firstSteps(url: string, masterToken: string): string[] {
  const json = "-H 'Content-Type: application/json'";
  const master = `"Authorization: Bearer ${masterToken}"`;
  const user = '"Authorization: Bearer $TOKEN"';
  const tenant = '{"tenant_name":"acme","email":"you@example.com","password":"a long passphrase"}';
  return [
    'Link a phone. The first answer holds the token for the others: TOKEN=…',
    `  curl -X POST ${url}/register -H ${master} ${json} -d '${tenant}'`,
    `  curl -X POST ${url}/devices -H ${user} ${json} -d '{"name":"my phone"}'`,
    `  curl ${url}/qr -H ${user}`,
    'Or see the QR here, in another terminal:',
    `  npm run wuts -- pair --url ${url} --token $TOKEN`,
  ];
}

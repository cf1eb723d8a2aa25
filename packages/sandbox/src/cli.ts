import { Command, InvalidArgumentError } from 'commander';
import { startControl } from './control/control.ts';
import type { CompanionRegRefresh } from './pairing/desk.ts';
import { startSandbox } from './sandbox.ts';

interface CliOptions {
  port: number;
  cdnPort: number;
  controlPort: number;
  companionRegRefresh: CompanionRegRefresh;
  data?: string;
}

const FIRST_PHONES = [
  { number: '5511999990001', name: 'Alice' },
  { number: '5511999990002', name: 'Bob' },
] as const;

function port(value: string): number {
  const parsed = Number(value);
  if (!/^\d+$/.test(value) || parsed > 65_535) throw new InvalidArgumentError('a port is 0 to 65535');
  return parsed;
}

function refresh(value: string): CompanionRegRefresh {
  if (value === 'after_qr' || value === 'on_scan' || value === 'never') return value;
  throw new InvalidArgumentError('one of after_qr, on_scan, never');
}

async function run(options: CliOptions): Promise<void> {
  const sandbox = await startSandbox({
    port: options.port,
    cdnPort: options.cdnPort,
    companionRegRefresh: options.companionRegRefresh,
    ...(options.data === undefined ? {} : { dataFolder: options.data }),
  });
  if (sandbox.phones.length === 0) for (const phone of FIRST_PHONES) await sandbox.createPhone(phone);
  const control = await startControl(sandbox, { port: options.controlPort });
  const [alice, bob] = FIRST_PHONES;
  console.log(`The sandbox is running. Settings for a gateway:

  WUTS_NETWORK_URL=${sandbox.url}
  WUTS_NETWORK_ROOT_KEY=${sandbox.rootKey}
  WUTS_NETWORK_CA_FILE=${sandbox.caFile}

Phones: ${sandbox.phones.map(({ name, number }) => `${name} ${number}`).join(', ')}
Control API: ${control.url}  (GET / lists its operations)

  # link a companion: give a phone what the companion's QR code says, or its eight-character code
  curl -s ${control.url}/phones/${alice.number}/scan -d '{"qr":"https://wa.me/settings/linked_devices#…"}'
  curl -s ${control.url}/phones/${alice.number}/paircode -d '{"code":"ABCD-1234"}'

  # ${bob.name} writes to ${alice.name}, and reads what came
  curl -s ${control.url}/phones/${bob.number}/send -d '{"to":"${alice.number}","type":"text","text":"hello"}'
  curl -s ${control.url}/phones/${bob.number}/inbox

Ctrl-C stops it.`);

  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await control.stop();
  await sandbox.stop();
}

const command = new Command('sandbox')
  .description('Runs a simulated WhatsApp network on loopback, with two phones and a control API')
  .option('--port <port>', 'WebSocket server', port, 8460)
  .option('--cdn-port <port>', 'media CDN (HTTPS)', port, 8461)
  .option('--control-port <port>', 'control API (HTTP)', port, 8462)
  .option(
    '--companion-reg-refresh <when>',
    'when the server retires the secret of a shown QR code: after_qr, on_scan, never',
    refresh,
    'after_qr' satisfies CompanionRegRefresh,
  )
  .option('--data <folder>', 'keeps the network there, so that linked devices survive a restart')
  .action(run);

await command.parseAsync();

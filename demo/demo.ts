/**
 * `npm run demo`: WUTS does its main job before your eyes, in less than a minute.
 *
 * A simulated WhatsApp network runs in this process, the gateway in its own; they speak the real wire
 * protocol over real sockets. Exit code 0 when everything was as told, 1 with the reason otherwise.
 * `npm run demo -- --keep` leaves both running at the end, to be tried by hand until Ctrl-C.
 */
import { once } from 'node:events';
import { startControl } from '@wuts/sandbox';
import { handsOn } from './hands-on.ts';
import { checkCount, failure, heading, plain } from './printer.ts';
import { deliveryStatus } from './scenes/delivery-status.ts';
import { editing } from './scenes/editing.ts';
import { emptiedCache } from './scenes/emptied-cache.ts';
import { expiredMedia } from './scenes/expired-media.ts';
import { incomingMedia } from './scenes/incoming-media.ts';
import { isolation } from './scenes/isolation.ts';
import { linking } from './scenes/linking.ts';
import { restart } from './scenes/restart.ts';
import { Stage } from './stage.ts';

const STORY: [string, (stage: Stage) => Promise<void>][] = [
  ['1. Two tenants link their numbers', linking],
  ['2. A customer writes: text and five kinds of media', incomingMedia],
  ['3. The media cache is emptied', emptiedCache],
  ['4. The copies on the CDN expire', expiredMedia],
  ['5. Delivery status: pending, delivered, read, played', deliveryStatus],
  ['6. A sent message is edited', editing],
  ['7. The other tenant asks for what is not its own', isolation],
  ['8. The gateway is stopped, started, and killed', restart],
];

const cleanUps: (() => Promise<unknown>)[] = [];
let lastLogLines: () => string[] = () => [];
let interrupted = false;

/** Takes everything down, last thing first. Safe to call twice. */
async function cleanUp(): Promise<void> {
  for (let undo = cleanUps.pop(); undo; undo = cleanUps.pop()) {
    await undo().catch((error: Error) => failure(`cleaning up: ${error.message}`));
  }
}

async function interrupt(code: number): Promise<void> {
  // Ctrl-C arrives several times: from the terminal, from npm.
  if (interrupted) return;
  interrupted = true;
  await cleanUp();
  process.exit(code);
}
process.on('SIGINT', () => void interrupt(130));
process.on('SIGTERM', () => void interrupt(143));
process.on('uncaughtException', (error) => {
  failure(error.stack ?? error.message);
  void interrupt(1);
});

async function play(): Promise<void> {
  const started = performance.now();
  const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
  plain('Starting a simulated WhatsApp network and a gateway with an empty data folder…');
  const stage = await Stage.set({
    onCleanUp: (undo) => cleanUps.push(undo),
    onGateway: (gateway) => {
      lastLogLines = () => gateway.lastLogLines;
    },
  });
  plain(
    `gateway  ${stage.gateway.url}   network  ${stage.sandbox.url}   media CDN  ${stage.sandbox.cdn.url}`,
  );
  plain('Answers are shortened.');
  for (const [title, tell] of STORY) {
    heading(title);
    await tell(stage);
  }
  heading('What you saw');
  plain(`  ${STORY.length} parts, ${checkCount()} checks, all as told, in ${seconds()} s.`);
  plain('  Real HTTP, WebSocket, Noise, Signal and TLS; only the phones and the network were simulated.');
  if (process.argv.includes('--keep')) await keep(stage);
}

async function keep(kept: Stage): Promise<void> {
  // The phones are driven over HTTP, as those of `npm run sandbox` are.
  const control = await startControl(kept.sandbox, { port: 0 });
  cleanUps.push(() => control.stop());
  plain(handsOn(kept, control.url));
  await once(process, 'SIGINT');
}

try {
  await play();
  await cleanUp();
} catch (error) {
  if (!interrupted) {
    failure(error instanceof Error ? error.message : String(error));
    if (error instanceof Error && error.name !== 'Surprise') console.error(error.stack);
    const lines = lastLogLines();
    if (lines.length > 0) console.error(`\nThe gateway's last log lines:\n${lines.join('\n')}`);
    process.exitCode = 1;
    await cleanUp();
  }
}
// Keep-alive connections of finished requests would hold the process for some seconds.
if (!interrupted) process.exit();

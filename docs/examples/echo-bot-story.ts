/** What an echo bot has to do, whatever it is written in: run against a gateway and two phones of the sandbox. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'vitest';
import { World } from '../../packages/gateway/test/end-to-end/harness.ts';
import { jpeg } from '../../packages/gateway/test/end-to-end/samples.ts';

/** Starts `command` with the example `file`, and plays the customer. */
export async function playEchoStory(command: string, file: string): Promise<void> {
  const world = await World.create();
  let bot: ChildProcess | null = null;
  try {
    const token = await world.tenant('echo');
    const shop = await world.sandbox.createPhone({ number: '5511999990001', name: 'Shop' });
    const customer = await world.sandbox.createPhone({ number: '5511999990002', name: 'Ana' });
    await world.linkByQr(token, shop);
    bot = spawn(command, [join(import.meta.dirname, file)], {
      env: { ...process.env, BASE: world.gateway.url, TOKEN: token },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (bot.stdout) await once(bot.stdout, 'data');
    const sent = await customer.sendText(shop.number, 'is anybody there?');
    const echo = await customer.waitForMessage(({ text }) => text === 'is anybody there?');
    const context = echo.message.extendedTextMessage?.contextInfo;
    expect(context?.stanzaId).toBe(sent.id);
    expect(context?.quotedMessage?.conversation ?? context?.quotedMessage?.extendedTextMessage?.text).toBe(
      'is anybody there?',
    );
    // What the shop's own phone writes is not echoed: of the answers, the next one is that to the picture.
    await shop.sendText(customer.number, 'written on the phone');
    const bytes = await jpeg();
    await customer.sendImage(shop.number, { bytes, mimeType: 'image/jpeg' });
    await customer.waitForMessage(({ text }) => text === `image/jpeg, ${bytes.length} bytes`);
    const texts = customer.inbox.map(({ text }) => text);
    expect(texts.filter((text) => text === 'written on the phone')).toHaveLength(1);
  } finally {
    bot?.kill();
    await world.destroy();
  }
}

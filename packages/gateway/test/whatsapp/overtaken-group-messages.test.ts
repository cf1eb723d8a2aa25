import { addTransactionCapability, DEFAULT_CONNECTION_CONFIG } from 'baileys';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { loadAuthState } from '../../src/whatsapp/baileys/connection/auth-state.ts';
import { MemoryCredentials } from './memory-credentials.ts';

const GROUP = '120363000000000007@g.us';
const SENDER = '77700000000001@lid';

it('opens group messages that were overtaken by others, whatever was stored in between', async () => {
  const [sender, receiver] = [await repository(), await repository()];
  const sent: Uint8Array[] = [];
  for (const text of ['one', 'two', 'three', 'four']) {
    const { ciphertext, senderKeyDistributionMessage } = await sender.encryptGroupMessage({
      group: GROUP,
      meId: SENDER,
      data: Buffer.from(text),
    });
    const item = { groupId: GROUP, axolotlSenderKeyDistributionMessage: senderKeyDistributionMessage };
    if (sent.length === 0) await receiver.processSenderKeyDistributionMessage({ item, authorJid: SENDER });
    sent.push(ciphertext);
  }
  const opened: string[] = [];
  for (const at of [3, 1, 0, 2]) {
    const msg = sent[at] ?? new Uint8Array(0);
    const plaintext = await receiver.decryptGroupMessage({ group: GROUP, authorJid: SENDER, msg });
    opened.push(Buffer.from(plaintext).toString());
  }
  expect(opened).toEqual(['four', 'two', 'one', 'three']);
});

async function repository() {
  const { creds, keys } = await loadAuthState(new MemoryCredentials());
  const logger = pino({ level: 'silent' });
  const inTransactions = addTransactionCapability(keys, logger, {
    maxCommitRetries: 1,
    delayBetweenTriesMs: 1,
  });
  return DEFAULT_CONNECTION_CONFIG.makeSignalRepository(
    { creds, keys: inTransactions },
    logger,
    async () => [],
  );
}

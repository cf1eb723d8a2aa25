/** The simulated network with its phones. */
import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { type Phone, startSandbox } from '@wuts/sandbox';
import { openAudience, storyOf } from './audience.ts';
import { answerCalls, nowMs } from './calls.ts';
import { streamText } from './tally.ts';

const sandbox = await startSandbox();

function phone(number: string): Phone {
  const found = sandbox.phones.find((each) => each.number === number);
  if (!found) throw new Error(`no phone ${number}`);
  return found;
}

/** The one companion of a phone. */
function companion(number: string): string {
  return `${number}:1@s.whatsapp.net`;
}

answerCalls({
  address: () => ({ url: sandbox.url, rootKey: sandbox.rootKey, caFile: sandbox.caFile }),
  phone: async ({ number, name }: { number: string; name: string }) => {
    await sandbox.createPhone({ number, name });
  },
  audience: (order: { numbers: string[]; phoneEvery: number }) => openAudience(sandbox, order),
  story: (asked: { numbers: string[]; id: string; text: string }) => storyOf(sandbox, asked),
  scan: async ({ number, qr }: { number: string; qr: string }) => {
    await phone(number).scanQr(qr);
    await sandbox.waitForOnline(companion(number));
  },
  /** What is sent to the companion from now on waits, encrypted and in its order. */
  hold: ({ number }: { number: string }) => sandbox.faults.silence(companion(number)),
  /** All that was held goes out at once; the answer is when. */
  release: ({ number }: { number: string }) => {
    const at = nowMs();
    sandbox.faults.resume(companion(number));
    return at;
  },
  /** Sends a stream of texts, from each of `from` in turn; `perSecond` paces it. */
  stream: async (order: {
    from: string[];
    to: string;
    stream: string;
    count: number;
    perSecond?: number;
  }) => {
    const begun = nowMs();
    for (let index = 0; index < order.count; index += 1) {
      if (order.perSecond) {
        const due = begun + (index * 1000) / order.perSecond;
        if (due > nowMs()) await setTimeout(due - nowMs());
      }
      const sender = phone(order.from[index % order.from.length] ?? '');
      await sender.sendText(order.to, streamText(order.stream, index));
    }
  },
  /** Resolves once the companion has acknowledged everything. */
  acknowledged: ({ number }: { number: string }) => sandbox.waitForAcknowledged(companion(number), 60_000),
  document: async ({ from, to, file, bytes }: { from: string; to: string; file: string; bytes: number }) => {
    await writeFile(file, randomBytes(bytes));
    const { id } = await phone(from).sendDocument(to, {
      bytes: await readFile(file),
      fileName: 'file.bin',
      mimeType: 'application/octet-stream',
    });
    return id;
  },
  /** Resolves once a phone has all of these messages. */
  arrived: async ({ number, ids }: { number: string; ids: string[] }) => {
    const recipient = phone(number);
    for (const id of ids) await recipient.waitForMessage((each) => each.id === id);
  },
  /** The file of a message as its recipient has it: downloaded and decrypted. */
  received: async ({ number, id }: { number: string; id: string }) => {
    const recipient = phone(number);
    const bytes = await recipient.downloadMedia(await recipient.waitForMessage((each) => each.id === id));
    return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  },
});

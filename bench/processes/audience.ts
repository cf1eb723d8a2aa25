/** Those who see a story: accounts whose keys the server has and for which nobody reads, with phones among them. */
import type { Phone, Sandbox } from '@wuts/sandbox';
import type { BinaryNode } from 'baileys';

type Children = readonly BinaryNode[];

/** Opens accounts that nobody reads for; one in `phoneEvery` is a phone of its own, online. */
export async function openAudience(
  sandbox: Sandbox,
  { numbers, phoneEvery }: { numbers: readonly string[]; phoneEvery: number },
): Promise<void> {
  let keysOf: Phone | null = null;
  for (const [index, number] of numbers.entries()) {
    if (keysOf && index % phoneEvery !== 0) sandbox.createUnattended({ number, keysOf });
    else keysOf = await sandbox.createPhone({ number, name: number, preKeys: 8 });
  }
}

/** Which of them do not have a story once, readable where there is a phone, and how many encrypted bytes all have of it. */
export async function storyOf(
  sandbox: Sandbox,
  { numbers, id, text }: { numbers: readonly string[]; id: string; text: string },
): Promise<{ wrong: string[]; bytes: number }> {
  const phones = new Map(sandbox.phones.map((phone) => [phone.number, phone]));
  const wrong: string[] = [];
  let bytes = 0;
  for (const number of numbers) {
    const phone = phones.get(number);
    if (phone) {
      if (!(await reads(phone, { id, text }))) wrong.push(number);
      continue;
    }
    const has = sandbox.waitingFor(`${number}@s.whatsapp.net`, id);
    const encrypted = has.flatMap(({ content }) => (content as Children).filter(({ tag }) => tag === 'enc'));
    if (has.length !== 1 || !encrypted.some(({ attrs }) => attrs.type === 'skmsg')) wrong.push(number);
    for (const { content } of encrypted) bytes += (content as Uint8Array).length;
  }
  return { wrong, bytes };
}

async function reads(phone: Phone, { id, text }: { id: string; text: string }): Promise<boolean> {
  await phone.waitForMessage((message) => message.id === id);
  await phone.idle();
  const copies = phone.inbox.filter((message) => message.id === id);
  return copies.length === 1 && copies[0]?.text === text && copies[0].resent === undefined;
}

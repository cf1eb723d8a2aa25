/** The network process: a sandbox with its phones, told what to do over IPC. */
import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import {
  type AnswerMessage,
  API_TEXT,
  type CallMessage,
  type CallName,
  type CastMember,
  type NetworkCalls,
  type SentByPhone,
} from './network-protocol.ts';
import { PhoneTraffic } from './phone-traffic.ts';

interface Account {
  phone: Phone;
  contacts: Phone[];
  group: string | null;
}

let sandbox: Sandbox | null = null;
const accounts: Account[] = [];
let traffic: PhoneTraffic | null = null;
let sparing: () => void = () => undefined;

type Handlers = { [N in CallName]: (input: NetworkCalls[N]['in']) => Promise<NetworkCalls[N]['out']> };

const handlers: Handlers = {
  async open({ cast }) {
    const opened = await startSandbox();
    sandbox = opened;
    for (const member of cast) accounts.push(await account(opened, member));
    const { url, rootKey, caFile } = opened;
    return { url, rootKey, caFile };
  },
  async scan({ number, qr }) {
    const { phone } = accountOf(number);
    const { device } = await phone.scanQr(qr);
    await phone.bootstrapped(device);
    return null;
  },
  async groups() {
    const made: Record<string, string> = {};
    for (const each of accounts) {
      const [founder, ...members] = each.contacts;
      if (!founder) throw new Error(`${each.phone.number} has no contacts`);
      const group = await founder.createGroup(`Friends of ${each.phone.name}`, [each.phone, ...members]);
      each.group = group.jid;
      made[each.phone.number] = group.jid;
    }
    return made;
  },
  async startTraffic({ seed, perSecond }) {
    traffic = await PhoneTraffic.start(chats(), { seed, perSecond });
    return null;
  },
  async stopTraffic() {
    await traffic?.stop();
    for (const { phone, contacts } of accounts) {
      for (const each of [phone, ...contacts]) await each.idle();
    }
    return null;
  },
  async killAfterReceipts({ pid, receipts }) {
    sparing();
    let left = receipts;
    let armed = true;
    sparing = () => {
      armed = false;
    };
    const known = new Set(everyPhone().flatMap((phone) => phone.receivedReceipts));
    for (const phone of everyPhone()) {
      // Matchers are asked as each receipt arrives; this one never says yes before it has killed.
      phone
        .waitForReceipt(
          (receipt) => {
            if (!armed || known.has(receipt) || !fromCompanion(receipt.fromDevice)) return !armed;
            left -= 1;
            if (left > 0) return false;
            armed = false;
            process.kill(pid, 'SIGKILL');
            return true;
          },
          { timeoutMs: 60_000 },
        )
        .catch(() => undefined);
    }
    return null;
  },
  async spare() {
    sparing();
    return null;
  },
  async state() {
    return accounts.map(({ phone }) => {
      const companion = companionJid(phone);
      return {
        account: phone.number,
        online: running().online(companion),
        pending: running().pendingFor(companion),
      };
    });
  },
  async report() {
    const received = everyPhone().flatMap((phone) =>
      phone.inbox
        .filter((message) => !message.fromMe && message.text?.startsWith(API_TEXT))
        .map((message) => ({
          phone: phone.number,
          account: message.from.replace(/@.*/, ''),
          id: message.id,
          text: message.text ?? '',
        })),
    );
    const problems = everyPhone().flatMap((phone) =>
      phone.problems.map((problem) => `${phone.number}: ${problem.stack ?? problem.message}`),
    );
    return {
      sent: (traffic?.sent ?? []).map(withReceipts),
      received,
      problems: [...problems, ...(traffic?.problems ?? [])],
    };
  },
  async close() {
    await traffic?.stop();
    await sandbox?.stop();
    return null;
  },
};

async function account(opened: Sandbox, { number, contacts }: CastMember): Promise<Account> {
  const made = [];
  for (const contact of contacts) {
    const phone = await opened.createPhone({ number: contact, name: `Contact ${contact.slice(-2)}` });
    phone.receipts = { read: 'auto' };
    made.push(phone);
  }
  const phone = await opened.createPhone({ number, name: `Business ${number.slice(-2)}` });
  return { phone, contacts: made, group: null };
}

function chats() {
  return accounts.flatMap(({ phone, contacts, group }) => [
    ...contacts.map((contact) => ({
      key: `${phone.number} ${contact.number}`,
      account: phone.number,
      writers: [
        { phone: contact, to: phone.jid, own: false },
        { phone, to: contact.jid, own: true },
      ],
    })),
    ...(group === null
      ? []
      : [
          {
            key: `${phone.number} ${group}`,
            account: phone.number,
            writers: contacts.map((contact) => ({ phone: contact, to: group, own: false })),
          },
        ]),
  ]);
}

function withReceipts(sent: Omit<SentByPhone, 'receipts'>): SentByPhone {
  const { phone } = accountOf(sent.account);
  const receipts = everyPhone().flatMap((each) =>
    each.receivedReceipts.filter(
      ({ messageId, from, fromDevice }) =>
        messageId === sent.id && from === phone.jid && fromCompanion(fromDevice),
    ),
  );
  return { ...sent, receipts: receipts.map(({ type }) => type) };
}

const everyPhone = (): Phone[] => accounts.flatMap(({ phone, contacts }) => [phone, ...contacts]);

/** Device 0, which is not written, is the phone. */
const fromCompanion = (deviceJid: string): boolean => /:[1-9]\d*@/.test(deviceJid);

function companionJid(phone: Phone): string {
  return `${phone.number}:${phone.companions[0] ?? 0}@s.whatsapp.net`;
}

function accountOf(number: string): Account {
  const found = accounts.find(({ phone }) => phone.number === number);
  if (!found) throw new Error(`no account ${number}`);
  return found;
}

function running(): Sandbox {
  if (!sandbox) throw new Error('the network is not open');
  return sandbox;
}

async function answer({ id, name, input }: CallMessage): Promise<AnswerMessage> {
  try {
    const handler = handlers[name] as (given: unknown) => Promise<unknown>;
    return { id, output: await handler(input) };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on('message', async (message) => {
  process.send?.(await answer(message as CallMessage));
});
// Whoever started us is gone.
process.on('disconnect', () => process.exit());

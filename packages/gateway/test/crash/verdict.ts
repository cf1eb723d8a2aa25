/** Compares what phones and programs know with what the gateway stored and told. */
import type { ApiSend, LinkedDevice } from './api-traffic.ts';
import type { NetworkReport, SentByPhone } from './network-protocol.ts';
import type { StoredEventRow, StoredMessageRow, StoredState } from './stored-state.ts';
import type { Taken } from './webhook-receiver.ts';

export interface Evidence {
  devices: readonly LinkedDevice[];
  report: NetworkReport;
  sends: readonly ApiSend[];
  /** What the webhook receiver took, in its order. */
  taken: readonly Taken[];
  stored: StoredState;
}

/** The event that tells of a message, and the member of its data that names the message. */
function eventOf(sent: Pick<SentByPhone, 'kind' | 'own'>): { name: string; member: string } {
  if (sent.kind === 'edit') return { name: 'message.edited', member: 'edit_id' };
  if (sent.kind === 'reaction') return { name: 'message.reaction', member: 'reaction_id' };
  return { name: sent.own ? 'message.sent' : 'message.received', member: 'message_id' };
}

/** A receipt that says the companion has the message; `retry` says that it could not read it. */
const hasReceipt = (sent: SentByPhone): boolean => sent.receipts.some((type) => type !== 'retry');

/** The companion had to ask for it again. No kill and no cut is a reason for that, also where it then came. */
const wasAskedAgain = (sent: SentByPhone): boolean => sent.receipts.includes('retry');

/** Every way in which a promise was broken, one line each; empty when none was. */
export function findViolations(evidence: Evidence): string[] {
  const { devices, report, sends, taken, stored } = evidence;
  const deviceOf = new Map(devices.map(({ account, deviceId }) => [account, deviceId]));
  const messages = grouped(stored.messages(), (row) => `${row.device_id} ${row.message_id}`);
  const events = new EventIndex(stored.events());
  const deliveries = new EventIndex(taken.map(asRow));
  const violations: string[] = [];
  for (const sent of report.sent) {
    const deviceId = deviceOf.get(sent.account) ?? '';
    const what = `${sent.kind} ${sent.id} in ${sent.chat} (receipts: ${sent.receipts.join(', ') || 'none'})`;
    const rows = messages.get(`${deviceId} ${sent.id}`) ?? [];
    if (wasAskedAgain(sent)) violations.push(`unread: ${what} had to be asked for again`);
    const ticks = hasReceipt(sent) ? 'its sender has two ticks' : 'nothing is left that could bring it';
    if (rows.length === 0) violations.push(`lost: ${what} is not stored, and ${ticks}`);
    if (rows.length > 1) violations.push(`twice: ${what} is stored ${rows.length} times`);
    violations.push(...rows.flatMap((row) => contentProblem(row, sent, what)));
    const event = eventOf(sent);
    const recorded = events.ids(deviceId, event, sent.id);
    const delivered = deliveries.ids(deviceId, event, sent.id);
    if (rows.length > 0 && recorded.length === 0) violations.push(`untold: ${what} has no ${event.name}`);
    if (recorded.length > 1)
      violations.push(`told twice: ${what} has ${recorded.length} ids of ${event.name}`);
    if (delivered.length === 0) violations.push(`undelivered: ${what} did not reach the webhook receiver`);
    if (delivered.length > 1) violations.push(`${what} reached the receiver under ${delivered.length} ids`);
  }
  violations.push(...orderProblems(report.sent, deviceOf, taken));
  for (const send of sends) violations.push(...sendProblems(send, report, messages, deliveries));
  const failed = stored.failedDeliveries();
  if (failed > 0) violations.push(`${failed} deliveries were given up`);
  const integrity = stored.integrity();
  if (integrity !== 'ok') violations.push(`the database is damaged: ${integrity}`);
  return violations;
}

function contentProblem(row: StoredMessageRow, sent: SentByPhone, what: string): string[] {
  if (row.kind !== sent.kind) return [`${what} is stored as ${row.kind}`];
  // The text of a message that was edited later is the later one.
  if (sent.kind === 'text' || sent.kind === 'reaction' || row.text === sent.text) return [];
  return [`${what} is stored with the text "${row.text}"`];
}

/** Per chat, in the order of first arrival at the receiver: the order in which the network took them. */
function orderProblems(
  all: readonly SentByPhone[],
  deviceOf: ReadonlyMap<string, string>,
  taken: readonly Taken[],
): string[] {
  const arrival = new Map<string, number>();
  for (const [index, { deviceId, event, data }] of taken.entries()) {
    for (const member of ['message_id', 'edit_id', 'reaction_id']) {
      const key = `${deviceId} ${event} ${member} ${data[member]}`;
      if (data[member] !== undefined && !arrival.has(key)) arrival.set(key, index);
    }
  }
  const problems: string[] = [];
  for (const [chat, sents] of grouped(all, (sent) => sent.chat)) {
    let before: { at: number; id: string } = { at: -1, id: '' };
    for (const sent of sents) {
      // What had to be asked for again comes when it comes.
      if (wasAskedAgain(sent)) continue;
      const { name, member } = eventOf(sent);
      const at = arrival.get(`${deviceOf.get(sent.account)} ${name} ${member} ${sent.id}`);
      if (at === undefined) continue;
      if (at < before.at) problems.push(`order: in ${chat} ${sent.id} was delivered before ${before.id}`);
      else before = { at, id: sent.id };
    }
  }
  return problems;
}

function sendProblems(
  send: ApiSend,
  report: NetworkReport,
  messages: ReadonlyMap<string, StoredMessageRow[]>,
  deliveries: EventIndex,
): string[] {
  if (send.late) {
    const sent = report.received.filter(({ text }) => text === send.text);
    return sent.length === 0 ? [] : [`"${send.text}" was refused as too late, and sent`];
  }
  if (send.messageId === null) return [`unsent: "${send.text}" was never sent`];
  const what = `${send.kind} "${send.text}" (${send.messageId}, ${send.requests} requests)`;
  const problems: string[] = [];
  for (const reader of send.readers) {
    const copies = report.received.filter(({ phone, text }) => phone === reader && text === send.text);
    if (copies.length !== 1) problems.push(`${what} was received ${copies.length} times by ${reader}`);
    if (copies[0] && copies[0].id !== send.messageId) {
      problems.push(`${what} was received by ${reader} under another id, ${copies[0].id}`);
    }
  }
  if (send.jobId !== null) {
    const ids = deliveries.ids(
      send.deviceId,
      { name: 'job.completed', member: 'message_id' },
      send.messageId,
    );
    if (ids.length !== 1) problems.push(`${what}: ${ids.length} ids of job.completed reached the receiver`);
  }
  const rows = messages.get(`${send.deviceId} ${send.messageId}`) ?? [];
  const [row] = rows;
  if (!row || rows.length > 1) return [...problems, `${what} is stored ${rows.length} times`];
  if (row.send_state !== 'sent') problems.push(`${what} is stored as ${row.send_state}`);
  if (row.delivered_at === null) problems.push(`${what}: the receipt of its delivery is lost`);
  if (row.read_at === null) problems.push(`${what}: the receipt of its being read is lost`);
  for (const name of ['message.sent', 'message.delivered', 'message.read']) {
    const ids = deliveries.ids(send.deviceId, { name, member: 'message_id' }, send.messageId);
    if (ids.length === 0) problems.push(`${what}: no ${name} reached the receiver`);
    if (name === 'message.sent' && ids.length > 1) problems.push(`${what}: ${ids.length} ids of ${name}`);
  }
  return problems;
}

/** Which events speak of a message. */
class EventIndex {
  readonly #ids = new Map<string, Set<string>>();

  constructor(events: readonly StoredEventRow[]) {
    for (const { id, device_id, name, data } of events) {
      const members = JSON.parse(data) as Record<string, unknown>;
      for (const member of ['message_id', 'edit_id', 'reaction_id']) {
        if (typeof members[member] !== 'string') continue;
        const key = `${device_id} ${name} ${member} ${members[member]}`;
        this.#ids.set(key, (this.#ids.get(key) ?? new Set()).add(id));
      }
    }
  }

  ids(deviceId: string, event: { name: string; member: string }, messageId: string): string[] {
    return [...(this.#ids.get(`${deviceId} ${event.name} ${event.member} ${messageId}`) ?? [])];
  }
}

function asRow(taken: Taken): StoredEventRow {
  return { id: taken.id, device_id: taken.deviceId, name: taken.event, data: JSON.stringify(taken.data) };
}

function grouped<T>(all: readonly T[], keyOf: (each: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of all) {
    const key = keyOf(each);
    const group = groups.get(key);
    if (group) group.push(each);
    else groups.set(key, [each]);
  }
  return groups;
}

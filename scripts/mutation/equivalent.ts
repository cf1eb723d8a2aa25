import { EQUIVALENT_MEDIA } from './equivalent-media.ts';

/** A mutant that no test can notice, because it does the same. */
export interface Equivalent {
  /** Below the gateway's `src`. */
  file: string;
  /** The mutated code as it stands, white space collapsed. */
  code: string;
  /** What the mutant puts there; any replacement when left out. */
  mutant?: string;
  why: string;
}

export const EQUIVALENT: Equivalent[] = [
  {
    file: 'identity/jid.ts',
    code: 'text.length > LONGEST_JID',
    why: 'The limit spares work: nothing that is longer fits a pattern of a user part.',
  },
  {
    file: 'identity/jid.ts',
    code: 'at < 1',
    why: 'Without an @, or with less than two characters before it, no pattern of a user part fits.',
  },
  {
    file: 'identity/phone-number.ts',
    code: '/^\\+?(?:00)?/',
    mutant: '/\\+?(?:00)?/',
    why: 'It matches nothing as well, which is found at the beginning.',
  },
  {
    file: 'identity/phone-number.ts',
    code: 'digits.length < 10',
    mutant: 'digits.length <= 10',
    why: 'Ten digits that do not begin with 0 are a number, and returned before.',
  },
  {
    file: 'identity/phone-number.ts',
    code: 'code < FULL_WIDTH + 0x7f',
    mutant: 'code <= FULL_WIDTH + 0x7f',
    why: 'The one character between would become U+007F, which is no digit either.',
  },
  {
    file: 'identity/phone-number.ts',
    code: 'at > 0',
    mutant: 'at >= 0',
    why: 'There is no digit before the beginning.',
  },
  ...EQUIVALENT_MEDIA,
  {
    file: 'observability/mask.ts',
    code: 'cause !== undefined',
    mutant: 'true',
    why: 'A cause that is undefined is left out of the line as JSON.',
  },
  {
    file: 'sending/idempotency.ts',
    code: 'live.status !== null',
    mutant: 'true',
    why: 'Status and response are written together; the response is asked for as well.',
  },
  {
    file: 'sending/idempotency.ts',
    code: 'stored',
    mutant: 'true',
    why: 'Deleting a row that is not there changes nothing.',
  },
  {
    file: 'sending/idempotency.ts',
    code: 'a < b',
    mutant: 'a <= b',
    why: 'No object has a member twice.',
  },
  {
    file: 'sending/quoting.ts',
    code: 'quote !== null',
    mutant: 'true',
    why: 'Without a quote there is no author, which is asked for beside it.',
  },
  {
    file: 'sending/quoting.ts',
    code: 'id !== undefined',
    mutant: 'true',
    why: 'For the compiler: what quotes has an id.',
  },
  {
    file: 'webhooks/deliveries.ts',
    code: 'filter.endpointId === undefined && filter.deviceId === undefined',
    why: 'Both ways find the same rows, by another index.',
  },
  {
    file: 'webhooks/endpoints.ts',
    code: 'deviceIds.length === 0',
    mutant: 'false',
    why: 'Of no device there is no URL; not asking spares a query.',
  },
  {
    file: 'webhooks/results.ts',
    code: 'result.error === null',
    mutant: 'false',
    why: 'Only where it fills `healthy`: the next success in the same batch is written as well. Elsewhere it is noticed.',
  },
  {
    file: 'webhooks/results.ts',
    code: 'healthy.add(asked);',
    mutant: ';',
    why: 'The next success in the same batch is written as well, which changes nothing.',
  },
  {
    file: 'tenancy/tenants.ts',
    code: 'taken',
    mutant: 'false',
    why: 'The insertion refuses as well; a password is not hashed for nothing.',
  },
  {
    file: 'tenancy/user-rows.ts',
    code: 'taken',
    mutant: 'false',
    why: 'As above.',
  },
  {
    file: 'tenancy/users.ts',
    code: '!looksLikeUuid(id)',
    mutant: 'false',
    why: 'No row has another id; the look-up is spared.',
  },
  {
    file: 'webhooks/schedule.ts',
    code: '10 * HOUR',
    mutant: '10 / HOUR',
    why: 'Only after `??`, which the index before it never reaches; the one in the list is noticed.',
  },
  {
    file: 'webhooks/schedule.ts',
    code: 'text === undefined',
    mutant: 'false',
    why: 'No pattern below matches the word undefined.',
  },
  {
    file: 'webhooks/slots.ts',
    code: 'left === 0',
    mutant: 'false',
    why: 'An endpoint with 0 lanes is as good as none; deleting it saves memory.',
  },
  {
    file: 'webhooks/slots.ts',
    code: 'until <= now',
    why: 'A wish whose time is over closes nothing; deleting it saves memory.',
  },
  {
    file: 'webhooks/slots.ts',
    code: 'this.#holds.delete(id);',
    mutant: ';',
    why: 'As above. In `forget` it is noticed.',
  },
  {
    file: 'webhooks/slots.ts',
    code: 'this.#failingTaken() >= this.#failingCapacity()',
    mutant: 'true',
    why: 'Only in `closed`, where a filter asks the same question again; in `#isClosed` it is noticed.',
  },
  {
    file: 'webhooks/worker.ts',
    code: 'this.#running',
    mutant: 'true',
    why: 'Of the timer: what it calls asks the same.',
  },
  {
    file: 'webhooks/webhooks.ts',
    code: 'false',
    mutant: 'true',
    why: 'Of `#missed`: the worker looks once more, and finds nothing.',
  },
  {
    file: 'whatsapp/baileys/parse/bounded-protobuf.ts',
    code: 'field.to > field.from',
    why: 'Looking into what is empty finds nothing; not doing it saves a step.',
  },
  {
    file: 'whatsapp/baileys/parse/content-parser.ts',
    code: '[]',
    mutant: '["Stryker was here"]',
    why: 'Where a key is looked for: a text has no member that one has. Elsewhere it is noticed.',
  },
];

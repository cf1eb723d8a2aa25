/** What is mutated together, and the tests that have to notice. */
export interface Room {
  /** Globs below the gateway's `src`. */
  mutate: string[];
  /** Globs below the gateway's `test`; the fast ones that speak of the room, not those in `end-to-end`. */
  tests: string[];
}

export const ROOMS: Record<string, Room> = {
  events: {
    mutate: ['events/!(catalogue)*.ts', 'events/payloads/*.ts'],
    tests: [
      'events/{catalogue,notice-causes,outbox,payloads,pull,retention}.test.ts',
      'messages/{amendments,archive,receipts}.test.ts',
    ],
  },
  identity: { mutate: ['identity/*.ts'], tests: ['identity/*.test.ts'] },
  // Not what runs in a process or thread of its own: there no mutant is switched on (`prepare`, `inline-thread`).
  media: { mutate: ['media/!(inline-thread)*.ts'], tests: ['media/*.test.ts'] },
  net: { mutate: ['net/*.ts'], tests: ['net/*.test.ts', 'media/download.test.ts'] },
  observability: { mutate: ['observability/*.ts'], tests: ['observability/*.test.ts'] },
  parse: {
    mutate: ['whatsapp/baileys/parse/**/*.ts'],
    tests: ['whatsapp/parse/*.test.ts'],
  },
  'sending-rules': {
    mutate: [
      'sending/{account-limits,chosen-ids,idempotency,pacing,quoting,recipients}.ts',
      'sending/jobs/retry-policy.ts',
    ],
    tests: [
      'sending/{account-limits,chosen-ids,idempotency,number-look-ups,pacing,quoting,recipients,retry-policy}.test.ts',
    ],
  },
  tenancy: {
    mutate: ['tenancy/*.ts'],
    tests: ['tenancy/{callers,leaving,roles,rules,tenants-and-users}.test.ts', 'api/edge*.test.ts'],
  },
  webhooks: {
    mutate: ['webhooks/*.ts'],
    tests: [
      'webhooks/{delivery,endpoint-input,endpoints,expiry,health,lanes,log,metrics,odd-answers,recovery,schedule,sending-again,signature,slots,subscriptions,worker}.test.ts',
    ],
  },
};

/** Sends that are answered with a job: `send_at`, and what takes long. */
import type { FastifyReply } from 'fastify';
import { type Static, Type } from 'typebox';
import { type Clock, parseRfc3339, rfc3339 } from '../../../clock.ts';
import { invalidField } from '../../../errors.ts';
import type { SendJob } from '../../../sending/jobs/job.ts';
import type { LaterSend, SendJobs } from '../../../sending/jobs/send-jobs.ts';
import { namesOf, type RecipientAddress } from '../../../sending/recipients.ts';
import type { Caller } from '../../../tenancy/caller.ts';
import { refusing } from '../../description/stated.ts';
import { Jid, OneOf, Rfc3339 } from '../../schemas.ts';

/** Clocks differ: a time that has just passed means now. */
const PAST_MS = 60_000;
const FURTHEST_MS = 366 * 24 * 3600_000;

export const SendAt = Type.Optional(
  refusing(
    'what is no such time, or has passed, or is further away',
    Type.Union([Type.String(), Type.Integer()], {
      description:
        'Send then instead of now: RFC 3339 with its offset, or Unix seconds; at most a year ahead. Answers 202 ' +
        'with a job at once',
      examples: ['2026-12-24T18:00:00-03:00'],
    }),
  ),
);

/** Milliseconds, of whatever day; null when nothing was asked for. Throws VALIDATION_ERROR. */
export function sendTime(value: string | number | undefined): number | null {
  if (value === undefined || value === '') return null;
  const text = String(value).trim();
  const at = /^\d{1,12}$/.test(text) ? Number(text) * 1000 : parseRfc3339(text);
  if (at === null) {
    throw invalidField('send_at', 'must be RFC 3339 with its offset, or Unix seconds', value);
  }
  return at;
}

/**
 * The time, unless it has passed or is too far ahead: VALIDATION_ERROR. Asked when something is about to be
 * stored: a request that is repeated after its time is answered as the first time.
 */
export function timeAhead(at: number, now: number): number {
  if (at < now - PAST_MS) throw invalidField('send_at', 'is in the past', rfc3339(at));
  if (at > now + FURTHEST_MS) throw invalidField('send_at', 'is more than a year ahead', rfc3339(at));
  return at;
}

/**
 * The job of an earlier attempt of the same request, or a new one for `at`; null for what is sent now. Throws
 * VALIDATION_ERROR, and what `SendJobs.schedule` throws.
 */
export async function jobFor(
  { jobs, clock }: { jobs: SendJobs; clock: Clock },
  caller: Caller,
  send: LaterSend,
  at: number | null,
): Promise<SendJob | null> {
  const known = await jobs.earlier(caller, send.attempt);
  if (known || at === null) return known;
  return jobs.schedule(caller, send, timeAhead(at, clock.now()));
}

/** Header of an answer that something is going on. */
export const LOCATION = { Location: { type: 'string', description: 'Path of what tells how it goes on' } };

/** The 202 of every operation that sends. */
export const LaterAnswer = Type.Object(
  {
    success: Type.Literal(true),
    message_id: Type.String({ description: 'Empty: see the job' }),
    timestamp: Rfc3339,
    status: OneOf(['processing', 'scheduled'] as const),
    chat_jid: Jid,
    job_id: Type.String({ examples: ['job_0f8fad5bd9cb469fa16570867728950e'] }),
    send_at: Type.Optional(Rfc3339),
  },
  {
    title: 'SendAccepted',
    headers: LOCATION,
    description: 'It is sent later: ask `GET /jobs/{job_id}`, or wait for the event `job.completed`',
  },
);

export function laterAnswer(
  reply: FastifyReply,
  job: SendJob,
  address: RecipientAddress,
): Static<typeof LaterAnswer> {
  reply.code(202).header('location', `/jobs/${job.id}`);
  const scheduled = job.state === 'scheduled' && job.attempts === 0;
  return {
    success: true,
    message_id: '',
    timestamp: rfc3339(job.createdAt),
    status: scheduled ? 'scheduled' : 'processing',
    chat_jid: namesOf(address)[0],
    job_id: job.id,
    ...(scheduled ? { send_at: rfc3339(job.sendAt) } : {}),
  };
}

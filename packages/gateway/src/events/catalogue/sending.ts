/** Categories "job" and "bulk": sends that did not happen within their request. */
import { Type } from 'typebox';
import { NOT_READY_REASONS } from '../../whatsapp/port/not-ready.ts';
import { Count, EXAMPLE, entry, MessageId, OrNull, Text, Time, Word } from './parts.ts';

const Reason = Word(NOT_READY_REASONS, 'With `DEVICE_NOT_READY`: why the device could not be used');
const WhatsAppCode = Count('Where WhatsApp refused it: its own code');
const BULK_ID = 'bulk_0f8fad5bd9cb469fa16570867728950e';

export const SENDING_EVENTS = {
  'job.completed': entry({
    summary: 'A send that was scheduled, long, or of a bulk is over',
    cause: 'The WhatsApp server has the message, or it was given up. A cancelled one is not reported.',
    schema: Type.Object({
      job_id: Text('The job'),
      bulk_id: OrNull(Text('Its bulk')),
      type: Text('Kind of message: the path after `/send/`'),
      recipient: Text('Number or JID as it was given'),
      state: Word(['sent', 'failed'] as const),
      message_id: OrNull(MessageId),
      items: OrNull(
        Type.Array(
          Type.Object({
            message_id: OrNull(MessageId),
            status: Word(
              ['sent', 'failed', 'pending'] as const,
              '`pending`: whether WhatsApp has it is not known yet',
            ),
            error_code: OrNull(Text('Why it is not sent: a code of the error catalogue')),
            reason: OrNull(Reason),
            whatsapp_code: OrNull(WhatsAppCode),
          }),
          { description: 'Of an album: how each of its items ended' },
        ),
      ),
      error_code: OrNull(Text('Why it failed: a code of the error catalogue')),
      reason: OrNull(Reason),
      whatsapp_code: OrNull(WhatsAppCode),
      error: OrNull(Text('The same for people')),
      finished_at: Time('When it was over'),
    }),
    example: {
      job_id: 'job_0f8fad5bd9cb469fa16570867728950e',
      bulk_id: BULK_ID,
      type: 'text',
      recipient: '5511999990002',
      state: 'sent' as const,
      message_id: '3EB0F8A1B2C3D4E5F6',
      items: null,
      error_code: null,
      reason: null,
      whatsapp_code: null,
      error: null,
      finished_at: EXAMPLE.time,
    },
  }),
  'bulk.completed': entry({
    summary: 'Nothing of a bulk is left to send',
    cause: 'Its last message was sent, failed or was cancelled.',
    schema: Type.Object({
      bulk_id: Text('The bulk'),
      state: Word(['completed', 'cancelled'] as const, '`cancelled`: a part of it was'),
      total: Count('Messages'),
      sent: Count('With the WhatsApp server'),
      failed: Count('Given up'),
      cancelled: Count('Never begun'),
      finished_at: Time('When the last one was over'),
    }),
    example: {
      bulk_id: BULK_ID,
      state: 'completed' as const,
      total: 3,
      sent: 2,
      failed: 1,
      cancelled: 0,
      finished_at: EXAMPLE.time,
    },
  }),
};

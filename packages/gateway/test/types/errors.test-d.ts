/** The error catalogue: each code with its status, and the lists of codes beside what throws them. */
import type { CHANGE_FAILURES, COPY_FAILURES } from '../../src/actions/message-copies.ts';
import type { failures } from '../../src/api/request/failures.ts';
import type { MESSAGE_FAILURES } from '../../src/api/request/message.ts';
import type { FILE_FAILURES, SEND_FAILURES } from '../../src/api/routes/messages/send-request.ts';
import type { DEVICE_FAILURES } from '../../src/devices/choice.ts';
import type { PAIRING_FAILURES } from '../../src/devices/pairing.ts';
import type { AppError, ERROR_CATALOGUE, ErrorCode } from '../../src/errors.ts';
import type { SESSION_FAILURES } from '../../src/whatsapp/port/app-errors.ts';
import type { Claims, Fits, Is, Refused } from './expect-type.ts';

type Status<C extends ErrorCode> = (typeof ERROR_CATALOGUE)[C]['status'];
type Listed =
  | (typeof CHANGE_FAILURES)[number]
  | (typeof COPY_FAILURES)[number]
  | (typeof DEVICE_FAILURES)[number]
  | (typeof FILE_FAILURES)[number]
  | (typeof MESSAGE_FAILURES)[number]
  | (typeof PAIRING_FAILURES)[number]
  | (typeof SEND_FAILURES)[number]
  | (typeof SESSION_FAILURES)[number];

export type ErrorClaims = Claims<
  [
    Is<Status<'VALIDATION_ERROR'>, 400>,
    Is<Status<'QUOTA_EXCEEDED' | 'RATE_LIMITED' | 'ACCOUNT_LIMITED'>, 429>,
    Is<Status<'STORAGE_FULL'>, 507>,
    // A status is a number that is known, not any.
    Refused<number, Status<ErrorCode>>,
    Refused<200, Status<ErrorCode>>,
    // So is a code, wherever one is named.
    Refused<string, ErrorCode>,
    Is<AppError['code'], ErrorCode>,
    Is<ConstructorParameters<typeof AppError>[0], ErrorCode>,
    Is<Parameters<typeof failures>[number], ErrorCode>,
    Fits<Listed, ErrorCode>,
    Refused<string, Listed>,
  ]
>;

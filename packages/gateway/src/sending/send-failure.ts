/** Why something was not sent, as jobs and items of albums keep it and tell it. */
import type { AppError, ErrorCode } from '../errors.ts';
import { type NotReadyReason, notReadyReason } from '../whatsapp/port/not-ready.ts';

export interface SendFailure {
  code: ErrorCode;
  /** With DEVICE_NOT_READY: why the device could not be used. */
  reason: NotReadyReason | null;
  /** For people. */
  message: string;
}

export function sendFailure(error: AppError): SendFailure {
  return { code: error.code, reason: notReadyReason(error), message: error.message };
}

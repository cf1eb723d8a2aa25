/** Why something was not sent, as jobs and items of albums keep it and tell it. */
import type { AppError, ErrorCode } from '../errors.ts';
import { refusalCode } from '../whatsapp/port/app-errors.ts';
import { type NotReadyReason, notReadyReason } from '../whatsapp/port/not-ready.ts';

export interface SendFailure {
  code: ErrorCode;
  /** With DEVICE_NOT_READY: why the device could not be used. */
  reason: NotReadyReason | null;
  /** Where WhatsApp's server refused it: its code. Absent in what was kept before this was. */
  whatsappCode?: number | null;
  /** For people. */
  message: string;
}

export function sendFailure(error: AppError): SendFailure {
  const { code, message } = error;
  return { code, reason: notReadyReason(error), whatsappCode: refusalCode(error), message };
}

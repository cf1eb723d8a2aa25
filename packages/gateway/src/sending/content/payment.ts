/**
 * Asking for money, and the answers to it. No money moves: these are messages, and what the apps show of them
 * depends on whether WhatsApp offers payments in the country of both (docs/payments.md).
 */
import { invalidField } from '../../errors.ts';
import type { StoredMessage } from '../../messages/stored-message.ts';
import type { WireMessage } from '../../whatsapp/port/wire-message.ts';
import {
  type ComposeContext,
  type Content,
  checkedOptional,
  LONGEST_CAPTION,
  withContext,
} from '../content.ts';
import { messageIdOf, messageKey } from '../message-key.ts';

export interface MoneyInput {
  /** In the smallest unit of the currency: 15000 are 150.00 BRL, and 15000 JPY. */
  amount: number;
  /** ISO 4217. */
  currency: string;
}

export interface PaymentRequestInput extends MoneyInput {
  note_message?: string;
  /** Unix seconds. Default: in seven days. */
  expiry_timestamp?: number;
}

export interface PaymentAnswerInput {
  /** Id of the message that asked. */
  request_message_key: string;
}

export interface PaymentNotificationInput extends PaymentAnswerInput, MoneyInput {
  note_message?: string;
}

const DEFAULT_EXPIRY_SECONDS = 7 * 24 * 3600;
/** Messages count thousandths of the currency's main unit (waE2E.RequestPaymentMessage.amount1000). */
const THOUSANDTHS = 1000;
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** `requestFrom` is who shall pay: the chat (wppconnect send-payment-request.js, venom). */
export function paymentRequestContent(input: PaymentRequestInput): Content {
  const money = checkedMoney(input);
  const note = checkedOptional('note_message', input.note_message, LONGEST_CAPTION);
  return {
    chatState: 'composing',
    compose: async ({ recipient, now, contextInfo }) => ({
      kind: 'payment',
      text: note ?? null,
      message: {
        requestPaymentMessage: {
          noteMessage: noteMessage(note, contextInfo),
          currencyCodeIso4217: money.currency,
          amount1000: money.thousandths,
          requestFrom: recipient.to,
          expiryTimestamp: expiry(input.expiry_timestamp, now),
          amount: { value: money.thousandths, offset: THOUSANDTHS, currencyCode: money.currency },
        },
      },
      metadata: { amount: money.text },
    }),
  };
}

/** Takes our own request back. */
export function paymentCancelContent(input: PaymentAnswerInput): Content {
  return answer(input, 'ours', (key) => ({ cancelPaymentRequestMessage: { key } }));
}

/** Says no to a request of the other side. */
export function paymentDeclineContent(input: PaymentAnswerInput): Content {
  return answer(input, 'theirs', (key) => ({ declinePaymentRequestMessage: { key } }));
}

/** Tells who asked that it was paid. The message has no place for the amount: the request's stands. */
export function paymentNotificationContent(input: PaymentNotificationInput): Content {
  checkedMoney(input);
  const note = checkedOptional('note_message', input.note_message, LONGEST_CAPTION);
  return answer(
    input,
    'theirs',
    (requestMessageKey, contextInfo) => ({
      sendPaymentMessage: { noteMessage: noteMessage(note, contextInfo), requestMessageKey },
    }),
    note,
  );
}

/** An answer to a request of ours, or of the other side. */
function answer(
  { request_message_key }: PaymentAnswerInput,
  whose: 'ours' | 'theirs',
  message: (key: WireMessage, contextInfo: WireMessage | null) => WireMessage,
  note?: string,
): Content {
  const id = messageIdOf('request_message_key', request_message_key);
  const fromMe = whose === 'ours';
  return {
    chatState: 'composing',
    compose: async (context) => {
      assertAnswerable(await context.find(id), fromMe);
      const key = await requestKey(context, id, fromMe);
      return {
        kind: 'payment',
        text: note ?? null,
        targetId: key.id,
        message: message(key, context.contextInfo),
      };
    },
  };
}

/** What is not stored may be a request all the same: it came before the device was linked. */
function assertAnswerable(request: StoredMessage | null, fromMe: boolean): void {
  if (!request) return;
  if (request.kind !== 'payment') throw invalidField('request_message_key', 'is not a payment request');
  if (request.fromMe === fromMe) return;
  throw invalidField(
    'request_message_key',
    fromMe ? 'is a request of somebody else: decline it' : 'is our own request: cancel it',
  );
}

async function requestKey(
  context: ComposeContext,
  id: string,
  fromMe: boolean,
): Promise<WireMessage & { id: string }> {
  if (fromMe || !context.recipient.isGroup || (await context.find(id))) {
    return messageKey(context, id, { fromMe });
  }
  throw invalidField('request_message_key', 'is not known, and so not who asked for it in the group');
}

function noteMessage(note: string | undefined, contextInfo: WireMessage | null): WireMessage {
  return { extendedTextMessage: { text: note ?? '', ...withContext(contextInfo) } };
}

function expiry(seconds: number | undefined, now: number): number {
  const earliest = Math.floor(now / 1000);
  if (seconds === undefined) return earliest + DEFAULT_EXPIRY_SECONDS;
  if (seconds > earliest) return seconds;
  throw invalidField('expiry_timestamp', 'must be a time to come, in seconds since 1970', seconds);
}

function checkedMoney({ amount, currency }: MoneyInput) {
  const code = currency.toUpperCase();
  if (!CURRENCIES.has(code)) throw invalidField('currency', 'Invalid currency code', currency);
  const digits = fractionDigits(code);
  const thousandths = (amount * THOUSANDTHS) / 10 ** digits;
  if (!Number.isSafeInteger(thousandths)) {
    throw invalidField('amount', 'is more than a message can hold', amount);
  }
  return { currency: code, thousandths, text: `${(amount / 10 ** digits).toFixed(digits)} ${code}` };
}

/** 2 for BRL, 0 for JPY, 3 for KWD. */
function fractionDigits(currency: string): number {
  return (
    new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
  );
}

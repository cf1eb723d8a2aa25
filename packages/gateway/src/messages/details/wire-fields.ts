/** Members of a message as its sender wrote them: what is not of the type that is wanted is null. */
import { rfc3339 } from '../../clock.ts';
import type { WireMessage } from '../../whatsapp/port/wire-message.ts';
import { LONGEST_LIST } from '../bounds.ts';

type Part = WireMessage | null;

/** The end of the year 9999, after which RFC 3339 has no times. */
const LAST_SECOND = 253_402_300_800;

export function text(from: Part, name: string): string | null {
  const value = from?.[name];
  return typeof value === 'string' ? value : null;
}

export function number(from: Part, name: string): number | null {
  const value = from?.[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** An amount of money: WhatsApp counts thousandths of the currency's unit. */
export function thousandths(from: Part, name: string): number | null {
  const amount = integer64(from, name);
  return amount === null ? null : amount / 1000;
}

/** RFC 3339 of a time in seconds. */
export function seconds(from: Part, name: string): string | null {
  const at = integer64(from, name) ?? 0;
  return at > 0 && at < LAST_SECOND ? rfc3339(at * 1000) : null;
}

export function list(from: Part, name: string): WireMessage[] {
  const value = from?.[name];
  return Array.isArray(value) ? (value as WireMessage[]).slice(0, LONGEST_LIST) : [];
}

export function texts(from: Part, name: string): string[] {
  const value = from?.[name];
  const all: unknown[] = Array.isArray(value) ? value.slice(0, LONGEST_LIST) : [];
  return all.filter((each) => typeof each === 'string');
}

/** 64-bit numbers come as objects that write themselves. */
export function integer64(from: Part, name: string): number | null {
  const value = from?.[name];
  const read = value == null ? Number.NaN : Number(value);
  return Number.isSafeInteger(read) ? read : null;
}

/** What a caller may write as a phone number, and the numbers under which WhatsApp may know it. */

/** What the documented normalisation strips, in the Unicode forms that spreadsheets and phones paste. */
const SEPARATORS = /[\s\u00a0\u202a-\u202e\u2066-\u2069()\-\u2010-\u2015\u2212]/g;

/** Country code plus national number: 10–15 digits, and no country code begins with 0 (ITU-T E.164 §6). */
const INTERNATIONAL = /^[1-9]\d{9,14}$/;

const LONGEST_INPUT = 64;

/**
 * Brings a phone number to digits with country code: strips spaces, dashes, parentheses and a leading
 * `+`. Null when what is left is not 10–15 digits in E.164 form.
 */
export function normalisePhoneNumber(text: string): string | null {
  if (text.length > LONGEST_INPUT) return null;
  const digits = text.replace(SEPARATORS, '').replace(/^\+/, '');
  return INTERNATIONAL.test(digits) ? digits : null;
}

/** Brazil: 55, a two-digit area code without zeros, then 8 digits or 9 digits beginning with 9. */
const BRAZIL_WITH_NINTH = /^(55[1-9][1-9])9(\d{8})$/;
const BRAZIL_WITHOUT_NINTH = /^(55[1-9][1-9])([6-9]\d{7})$/;

/**
 * The spellings of one number to ask WhatsApp for, the given one first. Brazilian mobile numbers got a
 * ninth digit (a leading 9) between 2012 and 2016, and accounts made before it keep the JID of eight.
 */
export function lookUpSpellings(digits: string): string[] {
  const long = BRAZIL_WITH_NINTH.exec(digits);
  if (long) return [digits, `${long[1]}${long[2]}`];
  const short = BRAZIL_WITHOUT_NINTH.exec(digits);
  if (short) return [digits, `${short[1]}9${short[2]}`];
  return [digits];
}

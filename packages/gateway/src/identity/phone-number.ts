/** What a caller may write as a phone number, and the numbers under which WhatsApp may know it. */
import { isPossiblePhoneNumber, isValidPhoneNumber, parsePhoneNumberFromString } from 'libphonenumber-js/min';

/** Country code plus national number: 10–15 digits, and no country code begins with 0 (ITU-T E.164 §6). */
const INTERNATIONAL = /^[1-9]\d{9,14}$/;
/** Of small countries, from Niue's seven on: Andorra, Greenland, the Faroes, New Caledonia and others have nine. */
const SHORT_INTERNATIONAL = /^[1-9]\d{6,8}$/;

const LONGEST_INPUT = 64;
/** With the text that it is to begin with. */
const LONGEST_LINK = 2_048;

/** Marks that text processors and address books put round numbers, which nobody sees: direction, joiners, BOM. */
const UNSEEN = /[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** What people group digits with, in the Unicode forms that spreadsheets and phones paste. */
const SEPARATORS = /[\s()[\]./\-\u00b7\u2010-\u2015\u2022\u2044\u2212]/g;

/** What spreadsheets set before a number that is to stay a text, and lists round it and behind it. */
const QUOTED = /^['"`\u2018-\u201f]{1,4}|['"`\u2018-\u201f,;]{1,4}$/g;

/** Full-width forms of ASCII stand at this distance from it. */
const FULL_WIDTH = 0xfee0;

/** Why a text is no phone number, to follow its field's name. */
export type NumberProblem =
  | 'is no number'
  | 'lacks its country code'
  | 'has too few digits'
  | 'has too many digits';

export type ReadNumber = { digits: string } | { problem: NumberProblem };

/**
 * Reads a phone number as people mean it: grouped in whatever way, with `+` or 00, as `tel:` (RFC 3966) or
 * a link to a chat, in the digits of any script, with the trunk prefix in parentheses (`+44 (0)20…`), with invisible
 * marks, in quotes, or with a spreadsheet's `.0`.
 */
export function readPhoneNumber(text: string): ReadNumber {
  const written = text.length > LONGEST_LINK ? '' : numberInLink(text);
  if (written.length > LONGEST_INPUT) return { problem: 'is no number' };
  const plain = inAscii(written.replace(UNSEEN, '').trim()).replace(QUOTED, '').trim();
  // A spreadsheet that takes the number for one to calculate with.
  const whole = /^\+?\d{10,15}\.0$/.test(plain) ? plain.slice(0, -2) : plain;
  const compact = withoutTrunk(whole).replace(SEPARATORS, '');
  const digits = compact.replace(/^\+?(?:00)?/, '');
  if (!/^\d+$/.test(digits)) return { problem: 'is no number' };
  if (digits.startsWith('0')) return { problem: 'lacks its country code' };
  if (INTERNATIONAL.test(digits)) return { digits };
  // So few digits are rather a number without its country code, and then somebody else's in a small country: only where
  // the mark says that it is there.
  if (digits !== compact && SHORT_INTERNATIONAL.test(digits) && isOfSomeCountry(digits)) return { digits };
  return { problem: digits.length < 10 ? 'has too few digits' : 'has too many digits' };
}

/** The digits with country code, or null when the text is no phone number. */
export function normalisePhoneNumber(text: string): string | null {
  const read = readPhoneNumber(text);
  return 'digits' in read ? read.digits : null;
}

/** A sentence that says what is wrong and how to write it right, to follow the field's name. */
export function numberAdvice(problem: NumberProblem): string {
  const form = 'must be 10 to 15 digits with country code';
  if (problem === 'lacks its country code') {
    return `${form}: the country code is missing, for it begins with 0 (5511999999999, not 011999999999)`;
  }
  if (problem === 'has too many digits') return `${form}; the JID of a group ends in @g.us`;
  if (problem !== 'has too few digits') return form;
  return `${form}: is the country code missing? A shorter one of a small country begins with +`;
}

/** Whether some country gives out such a number; if not, its country code is probably missing. */
export function isOfSomeCountry(digits: string): boolean {
  return isValidPhoneNumber(`+${digits}`);
}

function inAscii(text: string): string {
  return [...text].map(asciiOf).join('');
}

function asciiOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (DIGIT.test(character)) return String(digitValue(code));
  return code > FULL_WIDTH + 0x20 && code < FULL_WIDTH + 0x7f
    ? String.fromCodePoint(code - FULL_WIDTH)
    : character;
}

const DIGIT = /^\p{Nd}$/u;

/** Decimal digits stand in runs of ten, from 0 on; those of mathematics, in several runs behind one another. */
function digitValue(code: number): number {
  let below = 0;
  while (below < 50 && DIGIT.test(String.fromCodePoint(code - below - 1))) below += 1;
  return below % 10;
}

/** What stands before a number in addresses. */
const SCHEME =
  /^(?:tel|sms|callto|whatsapp):(?=[^/])|^(?:https?:\/\/)?(?:www\.)?wa\.me\/|^https?:\/\/(?:api|web|chat)\.whatsapp\.com\/send\/?\?phone=|^whatsapp:\/\/send\/?\?phone=/i;

/** The number in a link to a chat or a telephone address, behind which other things may be said; else the text. */
function numberInLink(text: string): string {
  const plain = text.replace(UNSEEN, '').trim();
  const scheme = SCHEME.exec(plain)?.[0];
  if (!scheme) return text;
  const [first = ''] = plain.slice(scheme.length).split(/[;?&#/]/);
  const number = first.replace(/^%2b/i, '+').trim();
  // A link to a chat has the country code, whether it is marked or not.
  return /whatsapp|wa\.me/i.test(scheme) && /^[1-9]/.test(number) ? `+${number}` : number;
}

/** `(0)` behind a country code is dialled within the country alone. */
function withoutTrunk(text: string): string {
  const at = text.search(/\(\s*0\s*\)/);
  return at > 0 && /\d/.test(text.slice(0, at))
    ? text.slice(0, at) + text.slice(text.indexOf(')', at) + 1)
    : text;
}

interface Country {
  fits: RegExp;
  /** The other ways in which the same line is written. */
  others(match: RegExpExecArray): string[];
}

/**
 * Countries whose mobile numbers changed, while accounts keep the number that they were opened with, and others
 * that people write in two ways. The first is always as given.
 */
const COUNTRIES: readonly Country[] = [
  // Brazil: mobile numbers got a leading 9 between 2012 and 2016.
  { fits: /^(55[1-9][1-9])9(\d{8})$/, others: ([, area, line]) => [`${area}${line}`] },
  { fits: /^(55[1-9][1-9])([6-9]\d{7})$/, others: ([, area, line]) => [`${area}9${line}`] },
  // Mexico: until 2019 mobile numbers were dialled from abroad with a 1 behind the country code.
  { fits: /^521([2-9]\d{9})$/, others: ([, line]) => [`52${line}`] },
  { fits: /^52([2-9]\d{9})$/, others: ([, line]) => [`521${line}`] },
  // Argentina: mobile numbers have a 9 behind the country code from abroad, and 15 behind the area code within.
  { fits: /^549([1-9]\d{9})$/, others: ([, line]) => [`54${line}`] },
  { fits: /^54([1-8]\d{9})$/, others: ([, line]) => [`549${line}`] },
  {
    fits: /^549?(11|[23]\d{2,3})15(\d{6,8})$/,
    others: ([, area = '', line = '']) => (area.length + line.length === 10 ? [`549${area}${line}`] : []),
  },
];

/**
 * Whether all spellings of a number, or of a JID that begins with it, are of one line. In Argentina they may not be:
 * a landline and a mobile of one town can differ by the 9 alone.
 */
export function isOneLine(digits: string): boolean {
  return !digits.startsWith('54');
}

/**
 * Without the prefix that is dialled within the country, which people leave behind the country code: `+49 0151…`,
 * `62 0812…`, `+52 044 55…`. Where it belongs to the number, as in Italy and Ivory Coast, it stays.
 */
function withoutTrunkPrefix(digits: string): string {
  // Of these, with more digits behind it than their numbers have: 044 and 045 are dialled in Mexico, 15 in Argentina.
  if (/^5[245]0/.test(digits)) return digits.replace(/^(5[245])0(?:4[45](?=\d{10}$))?(?=[1-9])/, '$1');
  // Asking costs more than looking whether there is a 0 that may be one.
  if (!/^[1-9]\d{0,2}0/.test(digits)) return digits;
  const read = parsePhoneNumberFromString(`+${digits}`);
  return read?.isValid() ? read.number.slice(1) : digits;
}

/** The numbers under which WhatsApp may know the line, the given one first. */
export function lookUpSpellings(digits: string): [string, ...string[]] {
  const plain = withoutTrunkPrefix(digits);
  const others = COUNTRIES.flatMap(({ fits, others }) => {
    const match = fits.exec(plain);
    return match ? others(match) : [];
  });
  const more = new Set([plain, ...others]);
  more.delete(digits);
  return [digits, ...more];
}

/** Numbers of more digits exist, and none that WhatsApp is known to use: LIDs begin at fourteen. */
const MOST_DIGITS_OF_ACCOUNTS = 13;

/** Whether the digits of a JID's user can only be a number, and not those of a LID, where nothing else tells them apart. */
export function canOnlyBeNumber(digits: string): boolean {
  return digits.length <= MOST_DIGITS_OF_ACCOUNTS && isPossiblePhoneNumber(`+${digits}`);
}

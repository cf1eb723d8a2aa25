import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lookUpSpellings, normalisePhoneNumber } from '../../src/identity/phone-number.ts';

describe('phone numbers', () => {
  it.each([
    ['+55 (11) 99999-9999', '5511999999999'],
    ['5511999999999', '5511999999999'],
    ['+1 415 555 2671', '14155552671'],
    ['55\u00a011\u201199999\u20119999', '5511999999999'],
    ['\u202a+5511999999999\u202c', '5511999999999'],
    ['5511999999999'.padEnd(64), '5511999999999'],
  ])('%j is %s', (text, expected) => {
    expect(normalisePhoneNumber(text)).toBe(expected);
  });

  it.each([
    '',
    '123',
    '123456789',
    '1234567890123456',
    '0511999999999',
    '55119999x9999',
    '++5511999999999',
    '55+11999999999',
    '5511999999999'.padEnd(65),
    '5511999999999@s.whatsapp.net',
    '٥٥١١٩٩٩٩٩٩٩٩٩',
    '5'.repeat(10_000),
  ])('%j is no phone number', (text) => {
    expect(normalisePhoneNumber(text)).toBeNull();
  });

  it('does not care how the digits are grouped', () => {
    const digits = fc.stringMatching(/^[1-9]\d{9,14}$/);
    const separators = fc.array(fc.constantFrom('', ' ', '-', '(', ')'), { minLength: 15, maxLength: 15 });
    fc.assert(
      fc.property(digits, separators, fc.boolean(), (number, between, plus) => {
        const written = [...number].map((digit, i) => `${between[i] ?? ''}${digit}`).join('');
        expect(normalisePhoneNumber(`${plus ? '+' : ''}${written}`)).toBe(number);
      }),
    );
  });

  it('gives digits in E.164 form or nothing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const number = normalisePhoneNumber(text);
        if (number !== null) expect(number).toMatch(/^[1-9]\d{9,14}$/);
      }),
    );
  });
});

describe('look-up spellings', () => {
  it('tries Brazilian mobile numbers with and without the ninth digit, as given first', () => {
    expect(lookUpSpellings('5511987654321')).toEqual(['5511987654321', '551187654321']);
    expect(lookUpSpellings('551187654321')).toEqual(['551187654321', '5511987654321']);
  });

  it('leaves landlines and other countries alone', () => {
    expect(lookUpSpellings('551132654321')).toEqual(['551132654321']);
    for (const number of ['14155552671', '5491155552671', '15511987654321', '1551187654321']) {
      expect(lookUpSpellings(number)).toEqual([number]);
    }
  });

  it('leaves longer numbers alone', () => {
    for (const number of ['55119876543210', '55118765432100']) {
      expect(lookUpSpellings(number)).toEqual([number]);
    }
  });

  it('goes both ways', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^55[1-9][1-9]9[6-9]\d{7}$/), (number) => {
        const other = lookUpSpellings(number)[1] ?? '';
        expect(lookUpSpellings(other)).toEqual([other, number]);
      }),
    );
  });
});

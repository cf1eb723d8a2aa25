import { describe, expect, it } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import {
  canOnlyBeNumber,
  isOfSomeCountry,
  isOneLine,
  lookUpSpellings,
  normalisePhoneNumber,
  numberAdvice,
  readPhoneNumber,
} from '../../src/identity/phone-number.ts';

describe('phone numbers', () => {
  it.each([
    ['+55 (11) 99999-9999', '5511999999999'],
    ['5511999999999', '5511999999999'],
    ['+1 415 555 2671', '14155552671'],
    ['55\u00a011\u201199999\u20119999', '5511999999999'],
    ['\u202a+5511999999999\u202c', '5511999999999'],
    ['5511999999999'.padEnd(64), '5511999999999'],
    // Dots and slashes, as in Germany and France.
    ['+49.151.2345.6789', '4915123456789'],
    ['+49 151/2345-6789', '4915123456789'],
    ['+33 6·12·34·56·78', '33612345678'],
    ['[55] 11 99999.9999', '5511999999999'],
    // The international prefix instead of the plus, and both.
    ['0049 151 23456789', '4915123456789'],
    ['+00966501234567', '966501234567'],
    ['00 55 (11) 99999-9999', '5511999999999'],
    // RFC 3966, and the addresses of other programs.
    ['tel:+55-11-99999-9999', '5511999999999'],
    ['TEL:+5511999999999;ext=12;phone-context=example.com', '5511999999999'],
    ['whatsapp:+14155238886', '14155238886'],
    ['https://wa.me/5511999999999?text=hi', '5511999999999'],
    ['http://wa.me/5511999999999', '5511999999999'],
    ['wa.me/5511999999999', '5511999999999'],
    ['\n tel: 5511999999999.0 ', '5511999999999'],
    ['http://www.wa.me/+5511999999999/', '5511999999999'],
    ['https://api.whatsapp.com/send?phone=5511999999999&text=hi', '5511999999999'],
    [`https://api.whatsapp.com/send/?phone=%2B55 11 99999-9999&text=${'x'.repeat(500)}`, '5511999999999'],
    ['https://web.whatsapp.com/send?phone=5511999999999', '5511999999999'],
    ['whatsapp://send?phone=5511999999999', '5511999999999'],
    ['callto:+5511999999999', '5511999999999'],
    // Cells of spreadsheets, and lists.
    ["'+5511999999999", '5511999999999'],
    ['"5511999999999"', '5511999999999'],
    ['“+55 11 99999-9999”,', '5511999999999'],
    ['5511999999999;', '5511999999999'],
    // Marks that contacts of a phone bring along when they are pasted.
    ['\u2068+55 11 99999-9999\u2069', '5511999999999'],
    ['\u200e+5511999999999\u200b', '5511999999999'],
    ['\ufeff5511999999999', '5511999999999'],
    // Digits of other scripts.
    ['＋５５（１１）９９９９９－９９９９', '5511999999999'],
    ['٥٥١١٩٩٩٩٩٩٩٩٩', '5511999999999'],
    ['۹۸۹۱۲۳۴۵۶۷۸۹', '989123456789'],
    ['٩٦٦٥٠١٢٣٤٥٦٧', '966501234567'],
    ['+৮৮০ ১৭১২-৩৪৫৬৭৮', '8801712345678'],
    ['၉၅၉၄၂၁၂၃၄၅၆၇', '959421234567'],
    ['๖๖๘๑๒๓๔๕๖๗๘', '66812345678'],
    ['៨៥៥១២៣៤៥៦៧៨', '85512345678'],
    ['𝟓𝟓𝟏𝟏𝟗𝟗𝟗𝟗𝟗𝟗𝟗𝟗𝟗', '5511999999999'],
    // The trunk prefix that is dialled within the country.
    ['+44 (0)20 7946 0958', '442079460958'],
    ['0049 ( 0 )151 23456789', '4915123456789'],
    ['44(0)2079460958', '442079460958'],
    // A spreadsheet's number.
    ['5511999999999.0', '5511999999999'],
    // Of small countries, where the mark says that the country code is there.
    ['+376 312 345', '376312345'],
    ['+376-712-345', '376712345'],
    ['00299 22 12 34', '299221234'],
    ['tel:+298-211234', '298211234'],
    ['https://wa.me/376312345', '376312345'],
    ['https://api.whatsapp.com/send?phone=687751234&text=hi', '687751234'],
    ['+683 4002', '6834002'],
    // Where a dot groups, it does so before a 0 as well.
    ['+49 1512345678.0', '4915123456780'],
    ['4915123456.078', '4915123456078'],
  ])('%j is %s', (text, expected) => {
    expect(normalisePhoneNumber(text)).toBe(expected);
  });

  it.each([
    ['', 'is no number'],
    ['123', 'has too few digits'],
    ['123456789', 'has too few digits'],
    ['+55 11 9999', 'has too few digits'],
    // Without the mark it may be a number of Spain just as well, whose country code is missing.
    ['687 751 234', 'has too few digits'],
    ['tel:376312345', 'has too few digits'],
    ['+551199999', 'has too few digits'],
    ['+123456', 'has too few digits'],
    ['1234567890123456', 'has too many digits'],
    // As they are dialled within Brazil, Venezuela and Germany.
    ['0511999999999', 'lacks its country code'],
    ['(0)11 99999-9999', 'lacks its country code'],
    ['+(0)11 99999-9999', 'lacks its country code'],
    ['04145557777', 'lacks its country code'],
    ['0151 23456789', 'lacks its country code'],
    ['55119999x9999', 'is no number'],
    ['++5511999999999', 'is no number'],
    ['55+11999999999', 'is no number'],
    ['5511999999999.5e3', 'is no number'],
    ['5511999999999'.padEnd(65), 'is no number'],
    ['5511999999999@s.whatsapp.net', 'is no number'],
    ['https://example.com/5511999999999', 'is no number'],
    ['5511999999999;tel:', 'is no number'],
    // Beside the full-width forms of ASCII: below, before the first of them, and behind the last.
    ['5511\ufed0999999999', 'is no number'],
    ['5511\uff00999999999', 'is no number'],
    ['5511\uff97999999999', 'is no number'],
    ['https://wa.me/message/ABCDEF1234567', 'is no number'],
    ['https://api.whatsapp.com.example.com/send?phone=5511999999999', 'is no number'],
    ['5511999999999,5511888888888', 'is no number'],
    ['x'.repeat(5_000), 'is no number'],
    ['5'.repeat(10_000), 'is no number'],
  ])('%j %s', (text, problem) => {
    expect(readPhoneNumber(text)).toEqual({ problem });
  });

  it('does not care how the digits are grouped', () => {
    const digits = fc.stringMatching(/^[1-9]\d{9,14}$/);
    const separators = fc.array(fc.constantFrom('', ' ', '-', '(', ')', '.', '/', '\u200e'), {
      minLength: 15,
      maxLength: 15,
    });
    fc.assert(
      fc.property(digits, separators, fc.constantFrom('', '+', '00'), (number, between, before) => {
        const written = [...number].map((digit, i) => `${between[i] ?? ''}${digit}`).join('');
        // These two mean something: a number of a spreadsheet, and a trunk prefix.
        fc.pre(!/\.0$|\(0\)/.test(written));
        expect(normalisePhoneNumber(`${before}${written}`)).toBe(number);
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
  it.each([
    // Brazil's ninth digit.
    ['5511987654321', ['551187654321']],
    ['551187654321', ['5511987654321']],
    ['5531996883193', ['553196883193']],
    ['552164180266', ['5521964180266']],
    // With the 0 of the trunk behind the country code.
    ['55011987654321', ['5511987654321', '551187654321']],
    // Mexico's 1.
    ['5215574949947', ['525574949947']],
    ['525574949947', ['5215574949947']],
    ['529931813442', ['5219931813442']],
    // Argentina's 9, and the 15 that is dialled within.
    ['5491155552671', ['541155552671']],
    ['541155552671', ['5491155552671']],
    ['54111555552671', ['5491155552671']],
    ['549111555552671', ['5491155552671']],
    ['54221155123456', ['5492215123456']],
    ['540111555552671', ['54111555552671', '5491155552671']],
    // A number that only looks as if dialled within: with its 15 taken out it would be too short.
    ['541115123456', ['5491115123456']],
  ])('%s may be known as %j', (number, others) => {
    expect(lookUpSpellings(number)).toEqual([number, ...others]);
  });

  it.each([
    '551132654321',
    '14155552671',
    '15511987654321',
    '1551187654321',
    '55119876543210',
    '55118765432100',
    // Nine digits, or eleven, behind the country code.
    '52557494994',
    '5255749499471',
    '54115555267',
    '54911555526710',
    '541115555526710',
    '52155749499470',
    // Another country's number that ends as one of these would.
    '15215574949947',
    '15491155552671',
    '154111555552671',
    '4915123456789',
  ])('%s is known as itself alone', (number) => {
    expect(lookUpSpellings(number)).toEqual([number]);
  });

  it.each([
    ['4915112345678', '49015112345678'],
    ['41791234567', '410791234567'],
    ['919876543210', '9109876543210'],
    ['6281234567890', '62081234567890'],
    ['447911123456', '4407911123456'],
    ['525512345678', '520445512345678'],
  ])('%s is looked for with the prefix that its country dials: %s', (number, written) => {
    expect(lookUpSpellings(written)).toContain(number);
  });

  // Its 0 belongs to it, in Italy and Ivory Coast.
  it.each(['390612345678', '2250712345678'])('%s is no other', (number) => {
    expect(lookUpSpellings(number)).toEqual([number]);
  });

  it.each([
    /^55[1-9][1-9]9[6-9]\d{7}$/,
    /^521[2-9]\d{9}$/,
    /^549(?:11[2-8]\d{7}|[23]\d{2}[2-8]\d{6})$/,
  ])('goes both ways: %s', (numbers) => {
    fc.assert(
      fc.property(fc.stringMatching(numbers), (number) => {
        const [, other = '', ...more] = lookUpSpellings(number);
        expect([more, lookUpSpellings(other)]).toEqual([[], [other, number]]);
      }),
    );
  });
});

describe('what the digits say', () => {
  it.each([
    ['5511999999999', true],
    // The first number of Argentina's may be a landline.
    ['541155552671', false],
    ['5491155552671', false],
    ['15411555526', true],
  ])('all spellings of %s are of one line: %s', (digits, one) => {
    expect(isOneLine(digits)).toBe(one);
  });

  it.each([
    ['5511999999999', true],
    ['14155552671', true],
    // Fourteen digits, as short LIDs have, though Germany gives out numbers as long.
    ['49151234567890', false],
    ['55', false],
  ])('%s can only be a number: %s', (digits, only) => {
    expect(canOnlyBeNumber(digits)).toBe(only);
  });

  it.each([
    ['5511999999999', true],
    // As dialled within Brazil: no area of North America begins with 1.
    ['11999999999', false],
  ])('some country gives out %s: %s', (digits, given) => {
    expect(isOfSomeCountry(digits)).toBe(given);
  });

  it('what is wrong is said with how to write it', () => {
    const form = 'must be 10 to 15 digits with country code';
    expect(numberAdvice('has too few digits')).toBe(
      `${form}: is the country code missing? A shorter one of a small country begins with +`,
    );
    expect(numberAdvice('lacks its country code')).toMatch(/begins with 0 \(5511999999999, not 0/);
    expect(numberAdvice('has too many digits')).toBe(`${form}; the JID of a group ends in @g.us`);
    expect(numberAdvice('is no number')).toBe(form);
  });
});

/** Which numbers of a list are on WhatsApp. */
import { AppError } from '../errors.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import { KNOWN_FOR_MS, type NumberLookUps } from '../sending/number-look-ups.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import { parseRecipient } from '../sending/recipients.ts';
import type { Identity } from '../whatsapp/port/identity.ts';

export interface CheckedNumber {
  /** As it was given. */
  input: string;
  /** Digits; what is no number is only stripped of what stands between digits. */
  number: string;
  /** Null: WhatsApp does not say. */
  registered: boolean | null;
  /** The account, whose number may be spelt in another way. */
  person: Identity | null;
  /** When WhatsApp said so, milliseconds; null for what was not asked. */
  checkedAt: number | null;
  /** Why it was not asked: what is wrong with the number. */
  problem: string | null;
}

export class NumberChecks {
  readonly #devices: SendingDevices;
  readonly #lookUps: NumberLookUps;

  constructor(parts: { devices: SendingDevices; lookUps: NumberLookUps }) {
    this.#devices = parts.devices;
    this.#lookUps = parts.lookUps;
  }

  /**
   * One result for each number, in order. Throws DEVICE_NOT_READY when something has to be asked and the device is not
   * connected, and as `NumberLookUps.many`.
   * @param maxAgeMs how old an answer may be; default a day, a minute for numbers that nobody has
   */
  async check(
    device: MessageDevice,
    inputs: readonly string[],
    maxAgeMs: number = KNOWN_FOR_MS,
  ): Promise<CheckedNumber[]> {
    const read = inputs.map((input) => ({ input, ...numberIn(input) }));
    const numbers = read.flatMap(({ digits }) => digits ?? []);
    const session = () => this.#devices.session(device);
    const answers = await this.#lookUps.many(session, device, numbers, maxAgeMs);
    return read.map(({ input, digits, problem }): CheckedNumber => {
      if (digits === null) {
        return { input, number: stripped(input), registered: false, person: null, checkedAt: null, problem };
      }
      const answer = answers.get(digits);
      const found = answer?.found ?? null;
      return {
        input,
        number: digits,
        registered: answer ? found !== null : null,
        person: found && { jid: found.jid, lid: found.lid },
        checkedAt: answer?.at ?? null,
        problem: null,
      };
    });
  }
}

/** Of a list that people put together, one bad entry must not refuse the others. */
function numberIn(input: string): { digits: string; problem: null } | { digits: null; problem: string } {
  try {
    const address = parseRecipient(input, 'it');
    if (address.kind === 'number') return { digits: address.digits, problem: null };
    return { digits: null, problem: 'it is no phone number' };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { digits: null, problem: error.message };
  }
}

/** As the documented answer names its entries. */
function stripped(input: string): string {
  return input.replace(/[+\-\s()]/g, '');
}

import { describe, expect, it } from 'vitest';
import { createLog, type LogLevel } from '../../src/observability/log.ts';
import { isSecretName, mask, maskNumbers } from '../../src/observability/mask.ts';

function logged(level: LogLevel, write: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = [];
  write(createLog({ level, format: 'json', destination: { write: (line) => void lines.push(line) } }));
  return lines.join('');
}

describe('the log', () => {
  it('never shows secrets or what people wrote, however deep', () => {
    const cause = Object.assign(new Error('inner 5511987654321'), { authToken: 's3cret' });
    const text = logged('trace', (log) => {
      log.child({ token: 's3cret' }).error(
        {
          err: Object.assign(new Error('outer', { cause }), { mediaKey: 's3cret' }),
          headers: { Authorization: 's3cret', 'X-Api-Token': 's3cret' },
          user: { password: 's3cret', webhook_secret: 's3cret', list: [{ encryption_key: 's3cret' }] },
          message: { text: 's3cret', caption: 's3cret' },
          key: Buffer.from('s3cret'),
          request: new Request('http://x/', { headers: { authorization: 's3cret' } }),
        },
        'done',
      );
    });
    expect(text).not.toContain('s3cret');
    expect(text).not.toContain(Buffer.from('s3cret').toString('base64'));
    expect(JSON.parse(text)).toMatchObject({
      token: '[redacted]',
      key: '[6 bytes]',
      request: '[Request]',
      err: { type: 'Error', message: 'outer', cause: { message: 'inner 5511987654321' } },
    });
  });

  it('masks phone numbers unless debug is asked for', () => {
    const write = (log: ReturnType<typeof createLog>): void =>
      log.warn({ jid: '5511987654321:7@s.whatsapp.net', list: ['+5511987654321'] }, 'sent to 5511987654321.');
    expect(logged('info', write)).not.toContain('987654');
    expect(logged('debug', write).match(/5511987654321/g)).toHaveLength(3);
  });

  it('leaves ids readable', () => {
    for (const id of [
      '3EB0F8A1B2C3D4E5F6',
      '7c9e6679-7425-40de-944b-123456789012',
      '79046679-7425-40de-944b-0242ac120002',
      '120363039000000000@g.us',
      '2026-06-15T12:00:00Z',
      'port 41483',
      'at 1718452800.5',
    ]) {
      expect(maskNumbers(id)).toBe(id);
    }
    expect(maskNumbers('5511987654321-1400000000@g.us')).toBe('5511***21-1400000000@g.us');
  });

  it.each([
    'auth',
    'Set-Cookie',
    'media_key',
    'x-api-token',
    'tokenSecret',
    'newPassword',
    'private-key',
    'qr',
  ])('%s names a secret', (name) => expect(isSecretName(name)).toBe(true));

  it.each(['author', 'tokens_left', 'secrets', 'qr_at', 'key', 'my_auth', 'cookies'])('%s does not', (name) =>
    expect(isSecretName(name)).toBe(false));

  it('shows what is no secret as it is', () => {
    const shown = {
      has_secret: true,
      token: null,
      password: undefined,
      texts: 'a',
      subtext: 'a',
      list: [null],
      count: 5511987654321,
      at: new Date(0),
      bare: Object.assign(Object.create(null), { ok: 1 }),
    };
    const masked = mask(shown, { showNumbers: false });
    expect(masked).toEqual({ ...shown, at: '1970-01-01T00:00:00.000Z', bare: { ok: 1 } });
    expect(mask('5511987654321', { showNumbers: true })).toBe('5511987654321');
    expect(mask('5511987654321', { showNumbers: false })).toBe('5511***21');
  });

  it('goes six levels deep, and through a hundred of a list', () => {
    const nested = (levels: number): unknown => (levels === 0 ? 'end' : { in: nested(levels - 1) });
    const shown = (value: unknown) => JSON.stringify(mask(value, { showNumbers: false }));
    expect(shown(nested(6))).toContain('end');
    expect(shown(nested(7))).not.toContain('end');
    const listed = (levels: number): unknown => (levels === 0 ? 'end' : [listed(levels - 1)]);
    expect(shown(listed(6))).toContain('end');
    expect(shown(listed(7))).not.toContain('end');
    expect(mask(Object.create(Object.create(null)), { showNumbers: false })).toBe('[object]');
    expect(mask(Array(101).fill('x'), { showNumbers: false })).toHaveLength(100);
    let error = new Error('innermost');
    for (let level = 0; level < 6; level += 1) error = new Error('outer', { cause: error });
    expect(shown(error)).toContain('innermost');
    expect(shown(new Error('one more', { cause: error }))).not.toContain('innermost');
  });

  it('survives what refers to itself', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(logged('info', (log) => log.info(circle, 'round'))).toContain('[deep]');
  });
});

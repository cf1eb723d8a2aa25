import { describe, expect, test } from 'vitest';
import { BadProxyUrl, maskedProxyUrl, parseProxyUrl, proxyUrl } from '../../src/net/proxy-address.ts';

describe('the URL of a proxy', () => {
  test.each([
    ['http://proxy.example', 'http://proxy.example:80'],
    ['http://proxy.example:443', 'http://proxy.example:443'],
    ['https://proxy.example', 'https://proxy.example:443'],
    ['https://proxy.example:80/', 'https://proxy.example:80'],
    ['SOCKS5://User@Proxy.Example:1081', 'socks5://User@proxy.example:1081'],
    ['socks5h://u:p@[2001:db8::1]:1', 'socks5h://u:***@[2001:db8::1]:1'],
    ['socks4://proxy.example', 'socks4://proxy.example:1080'],
    ['socks4a://u@proxy.example', 'socks4a://u@proxy.example:1080'],
    ['socks5://u:a:b@c@proxy.example', 'socks5://u:***@proxy.example:1080'],
    ['socks5://0x7f.1:9', 'socks5://127.0.0.1:9'],
    ['  http://:secret@proxy.example  ', 'http://:***@proxy.example:80'],
  ])('%s is shown as %s', (url, masked) => {
    expect(maskedProxyUrl(parseProxyUrl(url))).toBe(masked);
  });

  test.each([
    ['socks5://u:a:b@c@proxy.example', 'u', 'a:b@c'],
    ['http://us%40er:p%25w@proxy.example', 'us@er', 'p%w'],
    ['http://u:100%@proxy.example', 'u', '100%'],
    ['socks5://ü:ß@proxy.example', 'ü', 'ß'],
  ])('%s has its user and password, and has them again when it was stored', (url, username, password) => {
    const address = parseProxyUrl(url);
    expect(address).toMatchObject({ username, password });
    expect(parseProxyUrl(proxyUrl(address))).toEqual(address);
  });

  test.each([
    '',
    'proxy.example:1080',
    'ftp://proxy.example',
    'vmess://proxy.example',
    'http://',
    'http://:3128',
    'http://proxy.example/path',
    'http://proxy.example?x=1',
    'http://proxy.example#x',
    'http://proxy.example:0',
    'http://proxy.example:65536',
    'socks5://pro xy.example',
    'socks5://:secret@proxy.example',
    'socks4://u:secret@proxy.example',
    `socks5://u:${'x'.repeat(256)}@proxy.example`,
    `http://u:${'x'.repeat(2100)}@proxy.example`,
    'socks5://u:se%00cret@proxy.example',
    'http://u:se%0d%0acret@proxy.example',
    'http://a%3Ab:secret@proxy.example',
  ])('%s is none, and why says nothing of a password', (url) => {
    let message = '';
    try {
      parseProxyUrl(url);
    } catch (error) {
      expect(error).toBeInstanceOf(BadProxyUrl);
      message = (error as Error).message;
    }
    expect(message).not.toBe('');
    expect(message).not.toContain('secret');
    expect(message).not.toContain('xxx');
  });

  const said = (url: string) => {
    try {
      return maskedProxyUrl(parseProxyUrl(url));
    } catch (error) {
      return (error as Error).message;
    }
  };
  const password = (length: number) => `u:${'x'.repeat(length)}@proxy.example`;

  test.each([
    ['proxy.example:1080', /^must be a URL beginning with http:\/\/, .*socks5h:\/\/$/],
    ['xhttp://proxy.example', /^must be a URL beginning/],
    ['see http://proxy.example', /^must be a URL beginning/],
    ['http://:3128', /^is not a valid URL$/],
    ['http://pro\txy.example', /^is not a valid URL$/],
    ['http://proxy.example/path', /^must end after host and port$/],
    ['http://proxy.example/?', /^http:\/\/proxy.example:80$/],
    ['http://proxy.example:0', /^must name a port from 1 to 65535$/],
    ['http://proxy.example:1', /^http:\/\/proxy.example:1$/],
    ['socks5://proxy.example:80', /^socks5:\/\/proxy.example:80$/],
    ['socks5://proxy.example:443', /^socks5:\/\/proxy.example:443$/],
    // One byte says how long SOCKS5 credentials are; the others have no such limit.
    [`socks5://${password(255)}`, /^socks5:\/\/u:\*\*\*@/],
    [`socks5h://${password(256)}`, /^SOCKS5 takes credentials of at most 255 bytes$/],
    [`socks5://${'ü'.repeat(128)}@proxy.example`, /^SOCKS5 takes credentials/],
    [`http://${password(256)}`, /^http:\/\/u:\*\*\*@/],
    ['socks5h://:p@proxy.example', /^a password needs a user name$/],
    ['socks4a://u:p@proxy.example', /^SOCKS4 knows a user name and no password$/],
    ['socks5://a%3Ab@proxy.example', /^socks5:\/\/a%3Ab@/],
    ['socks4://a%3Ab@proxy.example', /^a user name must not contain a colon$/],
    ['http://u%7F:p@proxy.example', /^credentials must not have control characters$/],
  ])('%s: %s', (url, expected) => {
    expect(said(url)).toMatch(expected);
  });

  test('has at most 2048 characters', () => {
    const [before, after] = ['http://u:', '@proxy.example'];
    const url = (length: number) => `${before}${'x'.repeat(length - before.length - after.length)}${after}`;
    expect(said(url(2048))).toMatch(/^http:/);
    expect(said(url(2049))).toBe('is longer than 2048 characters');
    expect(said(`  ${url(2048)}  `)).toMatch(/^http:/);
  });
});

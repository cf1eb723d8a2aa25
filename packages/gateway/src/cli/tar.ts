/** A tar archive of files in memory: what `wuts import` sends of a folder. */

export interface PackedFile {
  /** With `/`, relative. */
  path: string;
  bytes: Uint8Array;
  /** Milliseconds. */
  writtenAt: number;
}

const BLOCK = 512;
const NAME_BYTES = 100;
const FILE = '0';
const EXTENDED = 'x';

/** ustar; a name that is too long for it stands in a pax header before the file. */
export function tarOf(files: readonly PackedFile[]): Uint8Array {
  const parts = files.flatMap(({ path, bytes, writtenAt }) => {
    const file = [header(FILE, path, bytes.length, writtenAt), padded(bytes)];
    if (Buffer.byteLength(path) <= NAME_BYTES) return file;
    const said = paxRecord('path', path);
    return [header(EXTENDED, 'pax', said.length, writtenAt), padded(said), ...file];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

/** `<length> <name>=<value>\n`; the length counts its own digits. */
function paxRecord(name: string, value: string): Buffer {
  const rest = Buffer.from(` ${name}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function header(kind: string, name: string, size: number, writtenAt: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number) =>
    block.write(`${Math.floor(value).toString(8).padStart(digits, '0')}\0`, at, 'latin1');
  block.set(Buffer.from(name).subarray(0, NAME_BYTES));
  octal(0o600, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(writtenAt / 1000, 136, 11);
  block.write('        ', 148, 'latin1');
  block.write(kind, 156, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function padded(bytes: Uint8Array): Buffer {
  const block = Buffer.alloc(Math.ceil(bytes.length / BLOCK) * BLOCK);
  block.set(bytes);
  return block;
}

/** Zip archives for tests: entries that are stored or deflated, and what no honest program writes. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntry {
  path: string;
  bytes: Uint8Array;
  /** Announced in the place of the real one. */
  size?: number;
  /** Unix mode; default: a file. */
  mode?: number;
}

const FILE = 0o100600;
const ON_UNIX = 3 << 8;

export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { path, bytes, size = bytes.length, mode = FILE } of entries) {
    const name = Buffer.from(path);
    const packed = deflateRawSync(bytes);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(8, 4);
    shared.writeUInt32LE(crc32(bytes), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(size, 18);
    shared.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004', 'latin1'), shared, name, packed]);
    const central = Buffer.alloc(16);
    central.writeUInt32LE(mode * 0x10000, 6);
    central.writeUInt32LE(at, 10);
    const made = Buffer.alloc(2);
    made.writeUInt16LE(ON_UNIX | 20);
    // After the shared fields: length of the comment, disk, inner attributes, outer attributes, place.
    directory.push(
      Buffer.concat([Buffer.from('PK\u0001\u0002', 'latin1'), made, shared, central.subarray(0, 14), name]),
    );
    parts.push(local);
    at += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, central, end]);
}

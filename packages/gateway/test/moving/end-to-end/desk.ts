/** A gateway to which files are handed in, for dry runs: nobody's phone is needed. */

import { type PackedFile, tarOf } from '../../../src/cli/tar.ts';
import type { Answer } from '../../end-to-end/harness.ts';
import { World } from '../../end-to-end/harness.ts';
import { handIn } from './goes-on.ts';

export class Desk {
  readonly world: World;
  readonly token: string;
  readonly deviceId: string;

  private constructor(world: World, token: string, deviceId: string) {
    this.world = world;
    this.token = token;
    this.deviceId = deviceId;
  }

  static async open(): Promise<Desk> {
    const world = await World.create();
    const token = await world.tenant('movers');
    const { body } = await world.as(token).post('/devices', { name: 'desk' });
    return new Desk(world, token, body.device.id);
  }

  /** What would be taken of it. */
  look(file: Uint8Array, fields: Record<string, string> = {}): Promise<Answer> {
    const { world, token, deviceId } = this;
    const all = { dry_run: 'true', ...fields };
    return handIn({ world, token, api: world.as(token) }, file, { deviceId, fields: all });
  }

  close(): Promise<void> {
    return this.world.destroy();
  }
}

/** An archive of files by path, packed an hour ago. */
export function packed(files: Record<string, string | Uint8Array>): Uint8Array {
  const writtenAt = Date.now() - 3_600_000;
  const all = Object.entries(files).map(
    ([path, content]): PackedFile => ({ path, bytes: Buffer.from(content as string), writtenAt }),
  );
  return tarOf(all);
}

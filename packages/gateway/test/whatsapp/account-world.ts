/** Sessions on the sandbox that fetch the files of an account: its history and its state. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from '@wuts/sandbox';
import { systemClock } from '../../src/clock.ts';
import { AccountFiles } from '../../src/media/download/account-files.ts';
import { MediaHttp } from '../../src/net/media-http.ts';
import { FolderBlobStore } from '../../src/storage/blobs.ts';
import type { SessionFactory } from '../../src/whatsapp/port/session.ts';
import { sessionsOn } from './linked-session.ts';

export interface AccountWorld {
  sandbox: Sandbox;
  factory: SessionFactory;
  /** Where files lie while they are read. */
  folder: string;
  /** What the sessions warned of. */
  warnings: string[];
  destroy(): Promise<void>;
}

export async function startAccountWorld(): Promise<AccountWorld> {
  const sandbox = await startSandbox();
  const folder = await mkdtemp(join(tmpdir(), 'wuts-account-'));
  const http = new MediaHttp({ caFile: sandbox.caFile, defaultNetwork: false });
  const warnings: string[] = [];
  const factory = sessionsOn(sandbox, {
    log: { warn: (_fields, text) => warnings.push(text) },
    accountFiles: new AccountFiles({
      http,
      clock: systemClock,
      blobs: new FolderBlobStore(folder),
      timeoutMs: 60_000,
    }),
  });
  return {
    sandbox,
    factory,
    folder,
    warnings,
    async destroy() {
      await http.close();
      await sandbox.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Files of messages, in both directions. */

import type { FfmpegConfig, PicturesConfig } from '../config.ts';
import type { GuardedClient } from '../net/guarded-client.ts';
import type { Step } from '../steps.ts';
import type { Scratch } from '../storage/scratch.ts';
import { InlineFiles } from './outgoing/inline-files.ts';
import { OutboundFiles } from './outgoing/outbound.ts';
import { Uploads } from './outgoing/uploads.ts';
import { Ffmpeg } from './prepare/ffmpeg.ts';
import { Pictures } from './prepare/pictures.ts';
import { Sounds } from './prepare/sounds.ts';
import { MediaService, type MediaServiceParts } from './service.ts';

export interface MediaRoom {
  service: MediaService;
  outbound: OutboundFiles;
  /** Files that came as parts of a request. */
  uploads: Uploads;
  /** Files that came as base64 in a large body. */
  inlineFiles: InlineFiles;
  step: Step;
}

/** Downloads have a second to end (`service.ts`). */
const STOP_MS = 2000;

export function composeMedia(
  parts: MediaServiceParts & {
    guarded: GuardedClient;
    ffmpeg: FfmpegConfig;
    pictures: PicturesConfig;
    scratch: Scratch;
  },
): MediaRoom {
  const { guarded, ffmpeg, pictures: limits, scratch, ...options } = parts;
  const programs = new Ffmpeg(ffmpeg, options.clock);
  const sounds = new Sounds(ffmpeg, options.clock);
  const pictures = new Pictures(limits, scratch, options.clock);
  const service = new MediaService(options);
  const uploads = new Uploads(scratch);
  const inlineFiles = new InlineFiles({ uploads, maxBytes: options.settings.maxBytes });
  const outbound = new OutboundFiles({
    client: guarded,
    http: options.http,
    scratch,
    cache: service.cache,
    maxBytes: options.settings.maxBytes,
    urlTimeoutMs: options.settings.downloadTimeoutMs,
    ffmpeg: programs,
    sounds,
    pictures,
    uploads,
  });
  return {
    service,
    outbound,
    uploads,
    inlineFiles,
    step: {
      name: 'media',
      start: async () => {
        await scratch.clear();
        await service.start();
      },
      stop: async () => {
        pictures.close();
        programs.close();
        sounds.close();
        await Promise.all([service.stop(), inlineFiles.stop()]);
      },
      stopMs: STOP_MS,
    },
  };
}

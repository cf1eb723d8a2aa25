/** The formats, in the order in which they are tried. */
import type { SessionFormat } from '../format.ts';
import { evolution } from './evolution.ts';
import { baileysFolder, wahaFolder } from './folder.ts';
import { baileysApi, wahaRows } from './rows.ts';
import { WHATSMEOW } from './whatsmeow/format.ts';

export const SESSION_FORMATS: readonly SessionFormat[] = [
  wahaFolder,
  baileysFolder,
  WHATSMEOW,
  baileysApi,
  wahaRows,
  evolution,
];

/** The formats, in the order in which they are tried. */
import type { SessionFormat } from '../format.ts';
import { WHATSMEOW } from './whatsmeow/format.ts';

export const SESSION_FORMATS: readonly SessionFormat[] = [WHATSMEOW];

/** What converts sound where there is no ffmpeg is bounded as ffmpeg is. */
import { conversionsAreBounded } from './conversion-bounds.ts';

conversionsAreBounded({ converter: 'sound-process', longSeconds: 900 });

/** ffmpeg is bounded. */
import { conversionsAreBounded } from './conversion-bounds.ts';

conversionsAreBounded({ converter: '-application voip', longSeconds: 5400 });

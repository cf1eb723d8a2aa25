/** What a chat shows of a link: given by the caller, or read from the page itself. */
import { Parser } from 'htmlparser2';
import { invalidField } from '../../errors.ts';
import { checkedOptional } from '../content.ts';
import { type OutboundMedia, withOpened } from '../outbound-media.ts';
import { preview } from './picture.ts';

export interface GivenPreview {
  /** The address in the text; default: the first. */
  url?: string;
  title: string;
  description?: string;
  /** Base64 or data URI. */
  thumbnail?: string;
  thumbnail_url?: string;
}

export interface Preview {
  /** As it stands in the text. */
  matchedText: string;
  title: string;
  description?: string;
  jpegThumbnail?: Uint8Array;
}

export const LONGEST_PREVIEW_TITLE = 300;
export const LONGEST_PREVIEW_DESCRIPTION = 1000;
const MOST_PICTURE_BYTES = 5 * 1024 ** 2;

/** What stands behind an address and is not part of it; Chinese and Japanese set no space before theirs. */
const PUNCTUATION = `.,;:!?'"*~…。，、；：！？`;

/** What closes what the text opened before the address, unless the address opened it itself. */
const BRACKETS: ReadonlyMap<string, string> = new Map(
  ['()', '[]', '{}', '（）', '［］', '【】', '「」', '『』', '《》', '“”', '‘’', '«»'].map(
    ([open = '', close = '']) => [close, open],
  ),
);

/** The first address of a text, without the punctuation behind it; null when it has none. */
export function firstLink(text: string): string | null {
  const found = [...(/https?:\/\/[^\s<>"]+/i.exec(text)?.[0] ?? '')];
  const counts = new Map<string, number>();
  for (const character of found) counts.set(character, (counts.get(character) ?? 0) + 1);
  const count = (character: string): number => counts.get(character) ?? 0;
  for (let last = found.at(-1); last !== undefined; last = found.at(-1)) {
    const opening = BRACKETS.get(last);
    // `…/Foo_(bar)` ends with a bracket of its own; `(see …/foo)` with the text's.
    const own = opening === undefined ? !PUNCTUATION.includes(last) : count(opening) >= count(last);
    if (own) break;
    found.pop();
    counts.set(last, count(last) - 1);
  }
  const link = found.join('');
  return URL.canParse(link) ? link : null;
}

/** Checks a preview that the caller gives; VALIDATION_ERROR when the text does not contain its address. */
export function checkedPreview(given: GivenPreview, text: string): GivenPreview & { url: string } {
  const url = given.url ?? firstLink(text);
  if (!url || !text.includes(url)) {
    throw invalidField('preview.url', 'must be an address that stands in the text', given.url);
  }
  checkedOptional('preview.title', given.title, LONGEST_PREVIEW_TITLE);
  checkedOptional('preview.description', given.description, LONGEST_PREVIEW_DESCRIPTION);
  if (given.thumbnail && given.thumbnail_url) {
    throw invalidField('preview.thumbnail_url', 'give either thumbnail or thumbnail_url, not both');
  }
  return { ...given, url };
}

/**
 * Reads title, description and picture of a page through the guarded client (Open Graph, else the plain
 * HTML). Null when the page cannot be read or has no title: a text is worth sending without its preview.
 */
export async function fetchedPreview(media: OutboundMedia, url: string): Promise<Preview | null> {
  const page = await media.page(url);
  const facts = page ? pageFacts(page.html) : null;
  if (!page || !facts?.title) return null;
  const base = absolute(facts.base, page.url) ?? page.url;
  const picture = facts.image ? absolute(facts.image, base) : null;
  const jpegThumbnail = picture ? await thumbnail(media, { url: picture }).catch(() => null) : null;
  return {
    matchedText: url,
    title: cut(facts.title, LONGEST_PREVIEW_TITLE),
    ...(facts.description ? { description: cut(facts.description, LONGEST_PREVIEW_DESCRIPTION) } : {}),
    ...(jpegThumbnail ? { jpegThumbnail } : {}),
  };
}

/** The preview as the caller gave it. Throws INVALID_MEDIA for a thumbnail that is no picture. */
export async function givenPreview(
  media: OutboundMedia,
  given: GivenPreview & { url: string },
): Promise<Preview> {
  const source = given.thumbnail
    ? { base64: given.thumbnail }
    : given.thumbnail_url
      ? { url: given.thumbnail_url }
      : null;
  return {
    matchedText: given.url,
    title: given.title,
    ...(given.description ? { description: given.description } : {}),
    ...(source ? { jpegThumbnail: await thumbnail(media, source) } : {}),
  };
}

function thumbnail(media: OutboundMedia, source: { base64: string } | { url: string }): Promise<Uint8Array> {
  const options = { field: 'preview.thumbnail', maxBytes: MOST_PICTURE_BYTES };
  return withOpened(
    media,
    source,
    options,
    async (opened, member) => (await preview(media, opened, member)).bytes,
  );
}

interface PageFacts {
  title: string;
  description: string;
  image: string;
  /** What its relative addresses are relative to, as it says. */
  base: string;
}

function pageFacts(html: string): PageFacts {
  const found: Record<string, string> = {};
  let inTitle = false;
  // An icon may have a title of its own.
  let inPicture = 0;
  const parser = new Parser({
    onopentag(name, attributes) {
      if (name === 'svg') inPicture += 1;
      if (name === 'title') inTitle = inPicture === 0 && !('title' in found);
      if (name === 'base' && attributes.href && !('base' in found)) found.base = attributes.href;
      if (name === 'body') parser.pause();
      if (name !== 'meta') return;
      const key = (attributes.property ?? attributes.name ?? '').toLowerCase();
      const { content } = attributes;
      if (content && !(key in found)) found[key] = content.trim();
    },
    ontext(text) {
      if (inTitle) found.title = `${found.title ?? ''}${text}`;
    },
    onclosetag(name) {
      if (name === 'svg') inPicture -= 1;
      if (name === 'title') inTitle = false;
    },
  });
  parser.write(html);
  parser.end();
  const first = (...names: string[]): string => names.map((name) => found[name]?.trim()).find(Boolean) ?? '';
  return {
    title: first('og:title', 'twitter:title', 'title'),
    description: first('og:description', 'twitter:description', 'description'),
    image: first('og:image:secure_url', 'og:image', 'twitter:image'),
    base: first('base'),
  };
}

function absolute(address: string, base: string): string | null {
  return URL.canParse(address, base) ? new URL(address, base).href : null;
}

function cut(text: string, most: number): string {
  const plain = text.replaceAll('\0', '').replace(/\s+/g, ' ');
  return [...plain].slice(0, most).join('');
}

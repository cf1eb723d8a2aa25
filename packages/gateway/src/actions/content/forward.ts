import { AppError } from '../../errors.ts';
import type { ReadyMedia } from '../../media/answer.ts';
import { member } from '../../messages/details/wire-content.ts';
import type { StoredMessage } from '../../messages/stored-message.ts';
import type { Composed, Content } from '../../sending/content.ts';
import { descriptorOf, timed, uploadedFields } from '../../sending/outbound-media.ts';
import { levels, unwrapped } from '../../whatsapp/port/envelopes.ts';
import type { MediaKind } from '../../whatsapp/port/media.ts';
import type { WireMessage } from '../../whatsapp/port/wire-message.ts';

/** A stored message, to be passed on. */
export interface ForwardSource {
  target: StoredMessage;
  /** Its content as it was received or sent. */
  original: WireMessage;
  /** Gets hold of its file, to be released. */
  file(signal?: AbortSignal): Promise<ReadyMedia>;
}

/** The members of waE2E.Message that hold a file of the kind, the usual one first; a video note is a video. */
const MEDIA_MEMBERS: Record<Exclude<MediaKind, 'sticker_pack'>, readonly [string, ...string[]]> = {
  image: ['imageMessage'],
  video: ['videoMessage', 'ptvMessage'],
  audio: ['audioMessage'],
  voice: ['audioMessage'],
  document: ['documentMessage'],
  sticker: ['stickerMessage'],
};

/** The envelope that makes the apps play a sticker which is a Lottie animation; in any other they show nothing. */
const LOTTIE = 'lottieStickerMessage';

/**
 * What a media message says about the file itself, by the names of waE2E. The rest speaks of the old upload (keys,
 * hashes, paths, sidecars, thumbnails on the servers) or of the old chat.
 */
const KEPT = [
  'caption',
  'height',
  'width',
  'seconds',
  'ptt',
  'waveform',
  'jpegThumbnail',
  'pngThumbnail',
  'fileName',
  'title',
  'pageCount',
  'gifPlayback',
  'gifAttribution',
  'isAnimated',
  'isAvatar',
  'isLottie',
  'backgroundArgb',
] as const;

/**
 * The message without what bound it to its chat: quote, mentions and timer. Files are uploaded anew, for the
 * servers forget them, and by then the account's own phone may not have them either.
 *
 * It counts as forwarded unless it was the account's own, and the score of a chain of forwards goes on (Baileys
 * Utils/messages.js `generateForwardMessageContent`); from 5 on the apps say "forwarded many times".
 */
export function forwardContent(source: ForwardSource): Content {
  return {
    chatState: source.target.kind === 'voice' ? 'recording' : 'composing',
    async compose({ media, session, signal }) {
      const { target } = source;
      const inner = unwrapped(source.original);
      const mark = forwardMark(inner, target.fromMe);
      const common = { text: target.text, forwarded: mark.contextInfo !== undefined };
      if (!(target.kind in MEDIA_MEMBERS)) {
        return { ...common, kind: target.kind, message: cardOrText(inner, target, mark) };
      }
      const kind = target.kind as keyof typeof MEDIA_MEMBERS;
      const [usual, ...others] = MEDIA_MEMBERS[kind];
      const name = others.find((other) => member(inner, other)) ?? usual;
      const facts = member(inner, name) ?? {};
      const file = await source.file(signal);
      const opened = { content: { stream: () => file.open() } };
      const { uploaded, uploadMs } = await timed(() => media.upload(session, kind, opened, signal)).finally(
        () => file.release(),
      );
      const content = {
        ...Object.fromEntries(KEPT.flatMap((each) => (each in facts ? [[each, facts[each]]] : []))),
        ...uploadedFields(uploaded, file.mimeType),
        ...(target.text ? { caption: target.text } : {}),
        ...mark,
      };
      return {
        ...common,
        kind,
        message: enveloped(source.original, { [name]: content }, kind === 'document' && !!target.text),
        media: descriptorOf(kind, uploaded, {
          mimeType: file.mimeType,
          fileName: file.fileName,
          seconds: numberOf(facts, 'seconds'),
          width: numberOf(facts, 'width'),
          height: numberOf(facts, 'height'),
        }),
        metadata: { upload_time_ms: uploadMs },
      } satisfies Composed;
    },
  };
}

function enveloped(original: WireMessage, message: WireMessage, captioned: boolean): WireMessage {
  if (captioned) return { documentWithCaptionMessage: { message } };
  const lottie = levels(original).some(({ envelope }) => envelope?.name === LOTTIE);
  return lottie ? { [LOTTIE]: { message } } : message;
}

type Mark = { contextInfo?: { isForwarded: true; forwardingScore: number } };

function forwardMark(inner: WireMessage, fromMe: boolean): Mark {
  const scores = Object.keys(inner).map((name) => {
    const context = member(member(inner, name) ?? {}, 'contextInfo');
    return (context && numberOf(context, 'forwardingScore')) ?? 0;
  });
  const forwardingScore = Math.max(0, ...scores) + (fromMe ? 0 : 1);
  return forwardingScore > 0 ? { contextInfo: { isForwarded: true, forwardingScore } } : {};
}

/** The text as it was last edited; the preview of its link only while it is the text that it was made for. */
function cardOrText(inner: WireMessage, { kind, text, editedAt }: StoredMessage, mark: Mark): WireMessage {
  if (kind === 'text') {
    const preview = editedAt === null ? member(inner, 'extendedTextMessage') : null;
    return { extendedTextMessage: { ...linkPreview(preview), text: text ?? '', ...mark } };
  }
  for (const name of ['locationMessage', 'contactMessage', 'contactsArrayMessage']) {
    const content = member(inner, name);
    if (!content) continue;
    const { contextInfo: _, ...rest } = content;
    return { [name]: { ...rest, ...mark } };
  }
  throw new AppError('NOT_FORWARDABLE', { message: 'the content of the message was not kept' });
}

function linkPreview(from: WireMessage | null): WireMessage {
  const names = ['matchedText', 'title', 'description', 'jpegThumbnail', 'previewType'];
  return Object.fromEntries(names.flatMap((name) => (from && name in from ? [[name, from[name]]] : [])));
}

function numberOf(from: WireMessage, name: string): number | null {
  const value = from[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

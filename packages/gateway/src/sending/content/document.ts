import { invalidField } from '../../errors.ts';
import { documentType } from '../../media/outgoing/document-type.ts';
import { type Content, checkedCaption, withContext } from '../content.ts';
import { descriptorOf, mediaInput, timed, uploadedFields, withOpened } from '../outbound-media.ts';
import { jpegThumbnail, thumbnailInput } from './thumbnail.ts';

export interface DocumentInput {
  document?: string;
  document_url?: string;
  mime_type?: string;
  file_name?: string;
  caption?: string;
  /** Base64. */
  thumbnail?: string;
  thumbnail_url?: string;
}

const UNKNOWN_TYPE = 'application/octet-stream';
/** What common file systems take as one name, in bytes. */
const LONGEST_FILE_NAME = 255;
const MIME_TYPE = /^[\w.+-]{1,127}\/[\w.+-]{1,127}(?:\s*;[\x20-\x7e]{0,127})?$/;

/** Any file, under the name that the recipient sees. */
export function documentContent(input: DocumentInput): Content {
  const source = mediaInput('document', input.document, input.document_url);
  const caption = checkedCaption(input.caption);
  if (input.mime_type && !MIME_TYPE.test(input.mime_type)) {
    throw invalidField('mime_type', 'is not a MIME type', input.mime_type);
  }
  const picture = thumbnailInput(input);
  const fileName = checkedFileName(input.file_name, 'url' in source);
  return {
    chatState: 'composing',
    compose: ({ media, session, contextInfo, signal }) =>
      withOpened(media, source, { field: 'document', signal }, async (opened) => {
        const mimeType = documentType(opened, fileName, input.mime_type) ?? UNKNOWN_TYPE;
        const shown = await jpegThumbnail(media, picture);
        const { uploaded, uploadMs } = await timed(() => media.upload(session, 'document', opened, signal));
        const documentMessage = {
          ...uploadedFields(uploaded, mimeType),
          fileName,
          title: fileName,
          ...shown,
          ...(caption === null ? {} : { caption }),
          ...withContext(contextInfo),
        };
        return {
          kind: 'document',
          text: caption,
          // With a caption, clients put it into an envelope (opened by whatsmeow `UnwrapRaw` and Baileys
          // `normalizeMessageContent`); without one, they do not.
          message:
            caption === null
              ? { documentMessage }
              : { documentWithCaptionMessage: { message: { documentMessage } } },
          media: descriptorOf('document', uploaded, { mimeType, fileName }),
          metadata: {
            document_size_bytes: opened.size,
            mime_type: mimeType,
            file_name: fileName,
            download_time_ms: opened.downloadMs,
            upload_time_ms: uploadMs,
          },
        };
      }),
  };
}

/** A path of a file system, of which only the last part is a name: `C:\\fakepath\\a.pdf`, `../a.pdf`, `/tmp/a.pdf`. */
const PATH = /^(?:[./~]|[A-Za-z]:)|\\/;

/** People number their papers "10/2025": a slash that is no path's is kept as far as a file can have it. */
function lastPart(name: string): string {
  return PATH.test(name) ? (name.split(/[\\/]/).at(-1) ?? '') : name.replaceAll('/', '-');
}

/** The name of the file, which may have come as a path; required where only a URL was given. */
function checkedFileName(given: string | undefined, required: boolean): string {
  // Control characters have no place in a file name and break headers and databases.
  const name = lastPart((given ?? '').trim())
    .replace(/\p{Cc}/gu, '')
    .trim();
  if (name === '') {
    if (required) throw invalidField('file_name', 'is required with document_url');
    return 'document';
  }
  if (Buffer.byteLength(name) > LONGEST_FILE_NAME) {
    throw invalidField('file_name', `must be at most ${LONGEST_FILE_NAME} bytes`);
  }
  return name;
}

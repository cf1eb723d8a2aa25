import { createHash, randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BOB, CAROL } from '../messages/archive-world.ts';
import { type Account, MAX_BYTES, SendingWorld } from './sending-world.ts';

let world: SendingWorld;
let account: Account;
const number = '5511999990002';

beforeAll(async () => {
  world = await SendingWorld.create();
});
beforeEach(async () => {
  account = await world.account();
});
afterAll(() => world.destroy());

const send = (kind: string, body: Record<string, unknown>) =>
  world.post(account, `/send/${kind}`, { number, ...body });
const picture = (format: 'jpeg' | 'png' | 'webp', side = 300) =>
  sharp(randomBytes(side * 200 * 3), { raw: { width: side, height: 200, channels: 3 } })
    .toFormat(format)
    .toBuffer();
const base64 = (bytes: Buffer) => bytes.toString('base64');
const part = (name: string, from = account.whatsapp.content()) => from[name] as Record<string, unknown>;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const mediaRow = async (id: string) => {
  const { rowId } = await world.store.only(account.caller.tenantId, id);
  return world.store.db
    .selectFrom('media')
    .selectAll()
    .where('message_row_id', '=', rowId)
    .executeTakeFirstOrThrow();
};

const MP4 = Buffer.concat([Buffer.from('0000002066747970', 'hex'), Buffer.from('isom'), randomBytes(500)]);
/** One frame header of MPEG-1 layer III, 128 kbit/s, 44.1 kHz. */
const MP3 = Buffer.concat([Buffer.from('fffb9000', 'hex'), Buffer.alloc(500)]);

/** Three Ogg pages: the Opus header, and audio up to `seconds`. */
function opus(seconds: number): Buffer {
  const preSkip = 312;
  const page = (flags: number, granule: bigint, body: Buffer) => {
    const head = Buffer.alloc(28);
    head.write('OggS');
    head.writeUInt8(flags, 5);
    head.writeBigInt64LE(granule, 6);
    head.writeUInt8(1, 26);
    head.writeUInt8(body.length, 27);
    return Buffer.concat([head, body]);
  };
  const header = Buffer.alloc(19);
  header.write('OpusHead');
  header.writeUInt8(1, 8);
  header.writeUInt8(1, 9);
  header.writeUInt16LE(preSkip, 10);
  const audio = Buffer.alloc(200, 7);
  return Buffer.concat([
    page(2, 0n, header),
    page(0, 48_000n, audio),
    page(4, BigInt(seconds * 48_000 + preSkip), audio),
  ]);
}

describe('POST /send/image', () => {
  it('uploads, and sends type, size, preview and caption', async () => {
    const bytes = await picture('png');
    const reply = await send('image', {
      image: `data:image/jpeg;base64,${base64(bytes)}`,
      caption: 'look',
      mentioned: [CAROL.jid],
    });
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({
      success: true,
      status: 'sent',
      chat_jid: BOB.jid,
      metadata: {
        image_size_bytes: bytes.length,
        // What it is, not what the prefix says.
        image_format: 'image/png',
        download_time_ms: 0,
        not_measured: ['download_time_ms'],
        upload_time_ms: expect.any(Number),
        mentions_processed: 1,
        quoted_message_found: false,
        view_once_enabled: false,
      },
    });
    const image = part('imageMessage');
    expect(image).toMatchObject({
      mimetype: 'image/png',
      caption: 'look',
      width: 300,
      height: 200,
      contextInfo: { mentionedJid: [CAROL.jid] },
    });
    const preview = await sharp(image.jpegThumbnail as Buffer).metadata();
    expect(preview).toMatchObject({ format: 'jpeg', width: 72, height: 48 });
    expect(sha256(bytes)).toBe(Buffer.from(image.fileSha256 as Uint8Array).toString('hex'));
    expect(world.cdn.object(String(image.directPath))).toBeDefined();
    expect(await mediaRow(reply.body.message_id)).toMatchObject({
      kind: 'image',
      mime_type: 'image/png',
      file_length: bytes.length,
      sha256: sha256(bytes),
      blob_sha256: sha256(bytes),
      direct_path: image.directPath,
    });
  });

  it('can be viewed once', async () => {
    const reply = await send('image', { image: base64(await picture('jpeg')), viewOnce: true });
    expect(reply.body.metadata.view_once_enabled).toBe(true);
    const inner = part('viewOnceMessage').message as Record<string, unknown>;
    expect(part('imageMessage', inner).viewOnce).toBe(true);
  });

  it('turns the picture as the camera says', async () => {
    const turned = await sharp(await picture('jpeg'))
      .withExif({})
      .withMetadata({ orientation: 6 })
      .toBuffer();
    await send('image', { image: base64(turned) });
    expect(part('imageMessage')).toMatchObject({ width: 200, height: 300 });
  });

  it('a caption edit keeps the file', async () => {
    const { body } = await send('image', { image: base64(await picture('jpeg')), caption: 'old' });
    const original = part('imageMessage');
    const path = `/messages/${body.message_id}`;
    const tooLong = await world.put(account, path, { to: number, message: 'x'.repeat(1025) });
    expect(tooLong.status).toBe(400);
    expect((await world.put(account, path, { to: number, message: 'new' })).status).toBe(200);
    expect(account.whatsapp.content()).toMatchObject({
      editedMessage: {
        message: { protocolMessage: { editedMessage: { imageMessage: { ...original, caption: 'new' } } } },
      },
    });
    expect(await world.store.only(account.caller.tenantId, body.message_id)).toMatchObject({ text: 'new' });
  });
});

describe('POST /send/video, /send/audio, /send/document, /send/sticker', () => {
  it('sends a video with what the caller says of it, and makes nothing up', async () => {
    const thumbnail = base64(await picture('png'));
    const reply = await send('video', { video: base64(MP4), seconds: 12, thumbnail, convertToMP4: true });
    expect(reply.body.metadata).toMatchObject({
      video_size_bytes: MP4.length,
      video_format: 'video/mp4',
      video_duration_seconds: 12,
      was_converted: false,
      has_custom_thumbnail: true,
      async_processing: false,
    });
    expect(part('videoMessage')).toMatchObject({ mimetype: 'video/mp4', seconds: 12 });
    const plain = await send('video', { video: base64(MP4) });
    expect(plain.body.metadata).toMatchObject({
      video_duration_seconds: 0,
      has_custom_thumbnail: false,
      not_measured: ['video_duration_seconds', 'download_time_ms'],
    });
    expect(part('videoMessage')).not.toHaveProperty('seconds');
  });

  it('sends a voice note and measures how long it is', async () => {
    const reply = await send('audio', { audio: base64(opus(7)), ptt: true, seconds: 99 });
    expect(reply.body.metadata).toMatchObject({
      audio_format: 'audio/ogg; codecs=opus',
      audio_duration_seconds: 7,
      ptt_enabled: true,
      conversion_applied: false,
      conversion_time_ms: 0,
      waveform_generated: false,
      original_format: 'audio/ogg; codecs=opus',
    });
    expect(part('audioMessage')).toMatchObject({ ptt: true, seconds: 7, mimetype: 'audio/ogg; codecs=opus' });
    expect(await mediaRow(reply.body.message_id)).toMatchObject({ kind: 'voice', seconds: 7 });
  });

  it('sends other audio as it is, and says why it cannot be a voice note', async () => {
    const reply = await send('audio', { audio: base64(MP3) });
    expect(reply.body.metadata).toMatchObject({ audio_format: 'audio/mpeg', audio_duration_seconds: 0 });
    expect(part('audioMessage')).toMatchObject({ ptt: false, mimetype: 'audio/mpeg' });
    const note = await send('audio', { audio: base64(MP3), ptt: true });
    expect([note.status, note.body.error_code]).toEqual([400, 'INVALID_MEDIA']);
    expect(note.body.error).toContain('cannot be converted');
    await send('audio', { audio: base64(MP4) });
    expect(part('audioMessage').mimetype).toBe('audio/mp4');
  });

  it('shows the picture of a document that the caller gives', async () => {
    const thumbnail = base64(await picture('png'));
    const reply = await send('document', { document: base64(MP3), file_name: 'a.mp3', thumbnail });
    expect(reply.status).toBe(200);
    const { jpegThumbnail } = part('documentMessage') as { jpegThumbnail: Uint8Array };
    expect([...jpegThumbnail.subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
    const both = { thumbnail, thumbnail_url: 'https://example.com/x.png' };
    expect((await send('document', { document: base64(MP3), ...both })).status).toBe(400);
  });

  it.each([
    ['Boleto 10/2025.pdf', 'Boleto 10-2025.pdf'],
    ['TVP:14875:23 JINKI COMPANY 申請表格.pdf', 'TVP:14875:23 JINKI COMPANY 申請表格.pdf'],
    ['C:\\fakepath\\relatório final.docx', 'relatório final.docx'],
    ['/tmp/uploads/a.csv', 'a.csv'],
    ['./a b.zip', 'a b.zip'],
    ['N/A', 'N-A'],
    ['.env', '.env'],
    ['1688567559635.pdf', '1688567559635.pdf'],
    ['Orçamento nº 3/4.PDF', 'Orçamento nº 3-4.PDF'],
    ['été test.png', 'été test.png'],
  ])('names a document as people do: %s', async (given, shown) => {
    const reply = await send('document', { document: 'SGVsbG8=', file_name: given });
    expect(reply.status).toBe(200);
    expect(part('documentMessage')).toMatchObject({ fileName: shown });
  });

  it('sends a document under its name, with a caption in the envelope that clients use', async () => {
    const bytes = Buffer.from('%PDF-1.4 …');
    const reply = await send('document', { document: base64(bytes), file_name: '../../x/in\nvoice.pdf' });
    expect(reply.body.metadata).toMatchObject({
      document_size_bytes: bytes.length,
      mime_type: 'application/pdf',
      file_name: 'invoice.pdf',
    });
    expect(part('documentMessage')).toMatchObject({ fileName: 'invoice.pdf', title: 'invoice.pdf' });
    await send('document', { document: base64(bytes), mime_type: 'text/x-own', caption: 'read' });
    const inner = part('documentWithCaptionMessage').message as Record<string, unknown>;
    expect(part('documentMessage', inner)).toMatchObject({
      mimetype: 'text/x-own',
      caption: 'read',
      fileName: 'document',
    });
  });

  it('sends a sticker and answers in its own shape', async () => {
    const reply = await send('sticker', { sticker: base64(await picture('webp', 100)), to: BOB.jid });
    expect(reply.body).toEqual({
      success: true,
      message_id: expect.any(String),
      record_id: expect.any(String),
      timestamp: expect.any(String),
      message: 'Sticker sent successfully',
      is_animated: false,
    });
    expect(part('stickerMessage')).toMatchObject({ mimetype: 'image/webp', width: 100, isAnimated: false });
    const frames = Buffer.concat([randomBytes(40 * 40 * 3), randomBytes(40 * 40 * 3)]);
    const animated = await sharp(frames, { raw: { width: 40, height: 80, channels: 3, pageHeight: 40 } })
      .webp()
      .toBuffer();
    expect((await send('sticker', { sticker: base64(animated) })).body.is_animated).toBe(true);
  });
});

describe('media that cannot be sent', () => {
  const huge = () => base64(randomBytes(MAX_BYTES + 1));
  it.each<[string, () => Record<string, unknown> | Promise<Record<string, unknown>>, number, string]>([
    ['image', () => ({}), 400, 'VALIDATION_ERROR'],
    ['image', () => ({ image: 'x', image_url: 'https://example.com/x' }), 400, 'VALIDATION_ERROR'],
    ['image', () => ({ image: '!!! no base64 !!!' }), 400, 'INVALID_MEDIA'],
    ['image', () => ({ image: base64(Buffer.from('no picture at all')) }), 400, 'INVALID_MEDIA'],
    [
      'image',
      () => ({ image: base64(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')) }),
      400,
      'INVALID_MEDIA',
    ],
    [
      'image',
      async () => ({ image: base64((await picture('jpeg')).subarray(0, 700)) }),
      400,
      'INVALID_MEDIA',
    ],
    ['image', () => ({ image: huge() }), 413, 'PAYLOAD_TOO_LARGE'],
    ['image', () => ({ image_url: 'http://127.0.0.1:1/x.png' }), 400, 'INVALID_MEDIA'],
    ['image', () => ({ image_url: 'http://169.254.169.254/latest' }), 400, 'INVALID_MEDIA'],
    ['image', () => ({ image_url: 'file:///etc/passwd' }), 400, 'INVALID_MEDIA'],
    [
      'image',
      async () => ({ image: base64(await picture('jpeg')), caption: 'x'.repeat(1025) }),
      400,
      'VALIDATION_ERROR',
    ],
    ['video', () => ({ video: base64(Buffer.from('%PDF-1.4')) }), 400, 'INVALID_MEDIA'],
    ['video', () => ({ video: base64(MP4), seconds: -1 }), 400, 'VALIDATION_ERROR'],
    ['video', () => ({ video: base64(MP4), thumbnail: base64(MP4) }), 400, 'INVALID_MEDIA'],
    ['audio', async () => ({ audio: base64(await picture('png')) }), 400, 'INVALID_MEDIA'],
    ['document', () => ({ document_url: 'https://example.com/x' }), 400, 'VALIDATION_ERROR'],
    ['document', () => ({ document: 'QQ==', mime_type: 'nonsense' }), 400, 'VALIDATION_ERROR'],
    ['document', () => ({ document: 'QQ==', file_name: 'x'.repeat(300) }), 400, 'VALIDATION_ERROR'],
    ['sticker', () => ({ sticker: base64(randomBytes(500)) }), 400, 'INVALID_MEDIA'],
  ])('%s %#', async (kind, body, status, code) => {
    const reply = await send(kind, await body());
    expect([reply.status, reply.body.error_code]).toEqual([status, code]);
    expect(account.whatsapp.sent).toEqual([]);
    expect(JSON.stringify(reply.body).length).toBeLessThan(2000);
  });

  it('names both fields when neither or both are given', async () => {
    for (const body of [{}, { image: 'QQ==', image_url: 'https://example.com' }]) {
      const reply = await send('image', body);
      expect(reply.body.validation.map((each: { field: string }) => each.field)).toEqual([
        'image',
        'image_url',
      ]);
    }
  });

  it('nothing is fetched or uploaded for a number that is not on WhatsApp', async () => {
    world.cdn.clearLog();
    const reply = await send('image', { image: base64(await picture('jpeg')), number: '14155552671' });
    expect([reply.status, reply.body.error_code]).toEqual([404, 'NOT_ON_WHATSAPP']);
    expect(world.cdn.log).toEqual([]);
  });

  it('an upload that WhatsApp refuses is 502', async () => {
    world.cdn.failNextUpload(500);
    const reply = await send('image', { image: base64(await picture('jpeg')) });
    expect([reply.status, reply.body.error_code]).toEqual([502, 'UPLOAD_FAILED']);
  });
});

describe('the type of a document', () => {
  const PDF = Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1');
  const typed = async (type: string, bytes: Buffer) => {
    const document = `data:${type};base64,${base64(bytes)}`;
    const { body } = await send('document', { document, file_name: 'a' });
    return body.metadata?.mime_type ?? body;
  };

  it.each([
    'application/octet-stream',
    'binary/octet-stream',
    'application/x-download',
    'text/plain',
  ])('%s does not beat the bytes', async (type) => {
    expect(await typed(type, PDF)).toBe('application/pdf');
  });

  it('is what was said otherwise', async () => {
    expect(await typed('application/x-own', PDF)).toBe('application/x-own');
    expect(await typed('text/plain', Buffer.from('hello'))).toBe('text/plain');
    expect(await typed('binary/octet-stream', Buffer.from('hello'))).toBe('application/octet-stream');
  });

  const ZIP = Buffer.from('504b0506'.padEnd(44, '0'), 'hex');
  const TEXT = Buffer.from('a;b\n1;2\n');
  const OLE = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)]);
  const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
  it.each<[string, Buffer, string]>([
    ['list.csv', TEXT, 'text/csv'],
    ['LIST.CSV', TEXT, 'text/csv'],
    ['letter.docx', ZIP, DOCX],
    ['letter.doc', OLE, 'application/msword'],
    ['app.apk', ZIP, 'application/vnd.android.package-archive'],
    ['picture.png', ZIP, 'application/zip'],
    ['letter.docx', PDF, 'application/pdf'],
    ['csv', TEXT, 'application/octet-stream'],
    ['.csv', TEXT, 'application/octet-stream'],
    ['index.ts', TEXT, 'application/octet-stream'],
    ['list.constructor', TEXT, 'application/octet-stream'],
  ])('%s is what its name says where the bytes are not clear', async (file_name, bytes, type) => {
    for (const document of [base64(bytes), `data:application/octet-stream;base64,${base64(bytes)}`]) {
      const { body } = await send('document', { document, file_name });
      expect(body.metadata?.mime_type).toBe(type);
    }
    const document = `data:application/x-own;base64,${base64(bytes)}`;
    expect((await send('document', { document, file_name })).body.metadata?.mime_type).toBe(
      'application/x-own',
    );
  });
});

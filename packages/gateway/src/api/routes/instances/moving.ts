/** A session that another program holds goes on in a device here. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import type { Devices } from '../../../devices/devices.ts';
import { invalidField } from '../../../errors.ts';
import type { InlineFiles } from '../../../media/outgoing/inline-files.ts';
import type { Uploads } from '../../../media/outgoing/uploads.ts';
import {
  FORMAT_NAMES,
  MOST_UPLOADED_BYTES,
  MOVING_FAILURES,
  type MovedIn,
  type MovingIn,
} from '../../../moving/moving-in.ts';
import { notReadyMembers } from '../../../whatsapp/port/not-ready.ts';
import { FILE_MEMBER } from '../../description/bodies.ts';
import { refusing, stated } from '../../description/stated.ts';
import { base64Members, base64Text } from '../../request/bounds.ts';
import { failures } from '../../request/failures.ts';
import { acceptFilesInJson } from '../../request/json-body.ts';
import { acceptMultipart, readMultipart } from '../../request/multipart.ts';
import { Jid, Nullable, Uuid } from '../../schemas.ts';
import { EXAMPLE_SESSION } from './example-session.ts';
import { DevicePath, State } from './schemas.ts';

export interface MovingParts {
  devices: Devices;
  movingIn: MovingIn;
  uploads: Uploads;
  inlineFiles: InlineFiles;
  /** Largest body, bytes. */
  mediaBodyLimit: number;
}

const DryRun = Type.Optional(
  Type.Boolean({
    description: 'Checks everything, says what would be taken, and changes nothing; default: false',
  }),
);
const fields = {
  file_base64: base64Text(
    'The session: a zip or tar archive (also compressed by gzip) of the folder, or the one file that holds it',
  ),
  format: Type.Optional(
    Type.String({
      enum: FORMAT_NAMES,
      description: 'Default: what it is recognised as',
      examples: ['baileys'],
    }),
  ),
  session: Type.Optional(
    refusing(
      'one that the file does not hold',
      Type.String({
        description: 'Which one, where the file holds several: a folder, an instance, a JID',
        examples: ['default'],
      }),
    ),
  ),
  force: Type.Optional(
    Type.Boolean({ description: 'Also when the session was written to a moment ago; default: false' }),
  ),
  dry_run: DryRun,
};
const Body = stated(Type.Object(fields, { examples: [{ file_base64: EXAMPLE_SESSION, dry_run: true }] }), {
  required: ['file_base64'],
});

const Count = Type.Integer({ minimum: 0, examples: [812] });
const Answer = Type.Object({
  success: Type.Literal(true),
  dry_run: Type.Boolean(),
  device_id: Uuid,
  source: Type.Object({
    format: Type.String({ enum: FORMAT_NAMES, examples: ['baileys'] }),
    title: Type.String({ description: 'Whose format it is' }),
    saw: Type.String({ description: 'By what it was recognised' }),
    session: Type.String({ description: 'What its own program calls it' }),
  }),
  account: Type.Object({
    jid: Jid,
    lid: Nullable(Jid),
    phone_number: Nullable(Type.String({ examples: ['5511999999999'] })),
    push_name: Nullable(Type.String()),
    device: Type.Integer({ description: 'Which of the linked devices of the account it is', examples: [3] }),
  }),
  taken: Type.Array(Type.Object({ what: Type.String({ examples: ['pre-key'] }), count: Count })),
  not_taken: Type.Array(
    Type.Object({
      what: Type.String({ examples: ['app-state-sync-version'] }),
      count: Count,
      why: Type.String({ description: 'What follows from it' }),
      places: Type.Array(Type.String(), { description: 'Where some of it was found' }),
    }),
  ),
  status: State,
  connected: Type.Boolean(),
  reason: Nullable(
    Type.String({ description: 'As in `GET /status`, while it is not connected', examples: ['replaced'] }),
  ),
  hint: Nullable(Type.String({ description: 'What to do about it' })),
});

/** `POST /devices/{id}/import`. */
export const movingRoutes: FastifyPluginAsyncTypebox<MovingParts> = async (app, parts) => {
  const { movingIn, devices, uploads, mediaBodyLimit } = parts;
  acceptFilesInJson(app, parts.inlineFiles);
  await acceptMultipart(app);
  const fileMembers = new Set(base64Members(Body));

  app.post(
    '/devices/:deviceID/import',
    {
      bodyLimit: mediaBodyLimit,
      config: { fileMembers: () => fileMembers },
      preValidation: async (request) => {
        if (!request.isMultipart()) return;
        await readMultipart(request, {
          member: 'file_base64',
          fields,
          uploads,
          maxBytes: MOST_UPLOADED_BYTES,
        });
      },
      schema: {
        [FILE_MEMBER]: 'file_base64',
        operationId: 'importSession',
        tags: ['instances'],
        summary: 'Take over a session that another program has linked',
        description:
          'The number goes on here without linking anew. Stop the other program first. Everything is checked before ' +
          'anything is written, and written at once; what could not be taken is in `not_taken`. Waits up to 20 s for ' +
          'the connection. Formats and how to export each: the guide "Linking".',
        params: DevicePath,
        // In the address as well, where an archive that is sent as it is needs no other member.
        querystring: Type.Object({ dry_run: DryRun }),
        body: Body,
        response: { 200: Answer, ...failures(...MOVING_FAILURES, 'PAYLOAD_TOO_LARGE') },
      },
    },
    async (request) => {
      const { file_base64: file, format, session, force = false } = request.body;
      const dryRun = request.query.dry_run === true || request.body.dry_run === true;
      if (file === undefined) {
        throw invalidField(
          'file_base64',
          'is required: the session as base64, or as the part file of a form',
        );
      }
      const order = { file, format, session, force, dryRun };
      const moved = await movingIn.moveIn(request.caller, request.params.deviceID, order);
      return answer(moved, dryRun, devices);
    },
  );
};

function answer(moved: MovedIn, dryRun: boolean, devices: Devices): Static<typeof Answer> {
  const { device, session, found } = moved;
  const { jid, lid, pushName, deviceJid } = session.identity;
  const notReady = devices.whyNotReady(device);
  return {
    success: true,
    dry_run: dryRun,
    device_id: device.id,
    source: {
      format: found.format,
      title: found.title,
      saw: found.saw,
      session: found.session,
    },
    account: {
      jid,
      lid,
      phone_number: jid.split('@')[0] ?? null,
      push_name: pushName,
      device: Number(deviceJid.split(/[:@]/)[1]),
    },
    taken: session.taken,
    not_taken: session.notTaken.map((each) => ({ ...each, places: each.places ?? [] })),
    status: device.state,
    connected: device.state === 'connected',
    reason: notReady?.reason ?? null,
    hint: notReady && notReadyMembers(notReady).hint,
  };
}

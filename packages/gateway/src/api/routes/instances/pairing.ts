/** Linking a phone: by QR or by a code that is typed. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Clock, rfc3339 } from '../../../clock.ts';
import type { Devices } from '../../../devices/devices.ts';
import { PAIRING_FAILURES } from '../../../devices/pairing.ts';
import { AppError, invalidField } from '../../../errors.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { qrForms } from '../../../whatsapp/port/linking-qr.ts';
import { DeviceHeaders, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { passkeyMembers } from './passkey-schemas.ts';
import {
  freshQr,
  PairCodeBody,
  PairCodeData,
  QrData,
  QrQuery,
  QrStatusData,
  RefreshQuery,
} from './schemas.ts';

const tags = ['instances'];

const PAIR_INSTRUCTIONS =
  'No celular, abra o WhatsApp > Configurações > Dispositivos conectados > Conectar dispositivo > ' +
  'Conectar com número de telefone e digite este código.';

/** `/qr`, `/qr/status` and `/paircode`. */
export const pairingRoutes: FastifyPluginAsyncTypebox<{ devices: Devices; clock: Clock }> = async (
  app,
  { devices, clock },
) => {
  const secondsUntil = (at: number) => Math.max(0, Math.ceil((at - clock.now()) / 1000));

  app.get(
    '/qr',
    {
      schema: {
        operationId: 'generateSessionQrCode',
        tags,
        summary: 'Get a pairing QR code',
        description:
          'Starts connecting in the background and answers with the QR to scan, which may be polled. A caller ' +
          'without a device gets a new one.',
        querystring: QrQuery,
        headers: DeviceHeaders,
        response: { 200: QrData, ...failures('DEVICE_NOT_FOUND', ...PAIRING_FAILURES) },
      },
    },
    async (request) => {
      const device = await devices.resolveForPairing(request.caller, selectedDevice(request));
      const qr = await devices.qr(device, freshQr(request.query));
      const { bare, url } = qrForms(qr.code);
      return {
        success: true as const,
        data: {
          qr_code: bare,
          qr_url: url,
          image: qr.image,
          cached: qr.cached,
          expires_at: rfc3339(qr.expiresAt),
          ttl: secondsUntil(qr.expiresAt),
          device_id: device.id,
        },
      };
    },
  );

  app.get(
    '/qr/status',
    {
      schema: {
        operationId: 'getSessionQrStatus',
        tags,
        summary: 'Is a QR code waiting to be scanned',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        response: { 200: QrStatusData, ...failures('DEVICE_NOT_FOUND') },
      },
    },
    async (request) => {
      const deviceId = selectedDevice(request);
      if (deviceId === undefined) {
        const { detail } = invalidField('device_id', 'is required');
        throw new AppError('VALIDATION_ERROR', { ...detail, message: 'device_id is required' });
      }
      const device = await devices.resolve(request.caller, deviceId);
      const qr = devices.currentQr(device);
      const current = devices.currentPasskey(device);
      const passkey = current && passkeyMembers(current, clock.now());
      if (qr === null) return { success: true as const, data: { exists: false, passkey } };
      return {
        success: true as const,
        data: {
          exists: true,
          passkey,
          generated_at: rfc3339(qr.generatedAt),
          expires_at: rfc3339(qr.expiresAt),
        },
      };
    },
  );

  app.post(
    '/paircode',
    {
      schema: {
        operationId: 'generateSessionPairCode',
        tags,
        summary: 'Get a pairing code',
        description:
          'A code that the user types on the phone with this number, instead of scanning a QR. The same code is ' +
          'given again while it is valid. A caller without a device gets a new one.',
        querystring: RefreshQuery,
        headers: DeviceHeaders,
        body: PairCodeBody,
        response: {
          200: PairCodeData,
          ...failures('DEVICE_NOT_FOUND', ...PAIRING_FAILURES, ...SESSION_FAILURES),
        },
      },
    },
    async (request) => {
      const { phone, reuse_cache: reuse } = request.body;
      devices.checkPhone(phone);
      const device = await devices.resolveForPairing(request.caller, selectedDevice(request));
      const fresh = freshQr({ ...request.query, ...(reuse !== undefined && { reuse_cache: reuse }) });
      const answer = await devices.pairCode(device, phone, fresh);
      return {
        success: true as const,
        data: {
          code: answer.code,
          phone: answer.phone,
          expires_in: secondsUntil(answer.expiresAt),
          cached: answer.cached,
          instructions: PAIR_INSTRUCTIONS,
          device_id: device.id,
        },
      };
    },
  );
};

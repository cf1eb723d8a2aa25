/** Tag `instances`: devices, pairing, connection state. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Clock } from '../../../clock.ts';
import { connectionRoutes } from './connection.ts';
import { type DevicesParts, devicesRoutes } from './devices.ts';
import { pairingRoutes } from './pairing.ts';
import { passkeyRoutes } from './passkey.ts';
import { type PasskeyLinkParts, passkeyLinkRoutes } from './passkey-link.ts';

export interface InstancesParts extends DevicesParts, PasskeyLinkParts {
  clock: Clock;
}

export const instancesRoutes: FastifyPluginAsyncTypebox<InstancesParts> = async (app, parts) => {
  await app.register(devicesRoutes, parts);
  await app.register(pairingRoutes, parts);
  await app.register(passkeyRoutes, parts);
  await app.register(passkeyLinkRoutes, parts);
  await app.register(connectionRoutes, parts);
};

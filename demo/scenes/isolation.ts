import type { Stage } from '../stage.ts';
import { check } from '../surprise.ts';

/** The bakery asks for every id of the shop. 404, never 403: that would tell that they exist. */
export async function isolation(stage: Stage): Promise<void> {
  const { bakeryApi, carla, facts } = stage;
  const { deviceId, textId, userId } = facts;
  const picture = stage.received('image').id;
  const words = { to: carla.number, message: 'x' };

  const calls: [string, string, unknown?][] = [
    ['GET', `/messages/${picture}/media`],
    ['GET', `/messages/${textId}/status`],
    ['GET', `/messages/${textId}/receipts`],
    ['PUT', `/messages/${textId}`, words],
    ['GET', `/users/${userId}`],
    ['DELETE', `/users/${userId}`],
    ['GET', `/qr?device_id=${deviceId}`],
    ['POST', `/logout?device_id=${deviceId}`],
    ['POST', '/send/text', { number: carla.number, text: 'x', device_id: deviceId }],
  ];
  for (const [method, path, body] of calls) await bakeryApi.call(method, path, 404, body);
  check(`${calls.length} questions, ${calls.length} times 404`, calls.length, 9);
  const devices = await bakeryApi.get('/devices');
  const foreign = devices.body.devices.filter((device: { id: string }) => device.id === deviceId);
  check("the bakery's list holds nothing of the shop", foreign, []);
}

/** Tag `messages`: places on the map. */
import { Type } from 'typebox';
import { liveLocationContent } from '../../../sending/content/live-location.ts';
import { LONGEST_URL, locationContent } from '../../../sending/content/location.ts';
import { optionalWords } from '../../description/stated.ts';
import { base64Text, fileAddress } from '../../request/bounds.ts';
import { emptyCounts } from '../../request/given.ts';
import { caption, given, type SendRoute } from './send-kind.ts';

const place = {
  latitude: Type.Number({ minimum: -90, maximum: 90, description: 'Degrees', examples: [-23.5505] }),
  longitude: Type.Number({ minimum: -180, maximum: 180, description: 'Degrees', examples: [-46.6333] }),
};
const picture = {
  thumbnail: base64Text('Picture of the map, base64'),
  thumbnail_url: fileAddress('Public URL of it'),
};
/** What the protobuf's 32 bits hold. */
const figure = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: 0xffff_ffff, description }));

export function placeKinds(route: SendRoute): void {
  route({
    path: '/send/location',
    operationId: 'sendLocation',
    summary: 'Send a place',
    takesMedia: true,
    fields: {
      ...place,
      name: caption('Name of the place'),
      address: caption('Its address'),
      url: optionalWords(LONGEST_URL, 'Opened when it is tapped'),
      comment: caption('Shown with it'),
      ...picture,
    },
    example: { to: '5511999999999', latitude: -23.5505, longitude: -46.6333, name: 'Praça da Sé' },
    content: ({ latitude, longitude, name, address, url, comment, thumbnail, thumbnail_url }) =>
      locationContent({
        latitude,
        longitude,
        ...given({ name, address, url, comment, thumbnail, thumbnail_url }),
      }),
    simple: { message: 'Location sent successfully', further: [] },
  });

  route({
    path: '/send/live-location',
    operationId: 'sendLiveLocation',
    summary: 'Send one position of a live location',
    takesMedia: true,
    fields: {
      ...place,
      accuracy_in_meters: figure('Radius of the uncertainty'),
      speed_in_mps: Type.Optional(
        emptyCounts(Type.Number({ minimum: 0, description: 'Metres per second; 0: it stands' })),
      ),
      degrees_clockwise_from_magnetic_north: Type.Optional(
        emptyCounts(
          Type.Integer({ minimum: 0, maximum: 360, description: 'Direction of the movement; 0: north' }),
        ),
      ),
      caption: caption('At most 1024 characters'),
      sequence_number: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: Number.MAX_SAFE_INTEGER,
          description: 'Orders the positions; default: by the time',
        }),
      ),
      time_offset: figure('Seconds since the position was measured'),
      duration_in_seconds: figure('Accepted; the message carries no duration'),
      ...picture,
    },
    example: { to: '5511999999999', latitude: -23.5505, longitude: -46.6333, accuracy_in_meters: 10 },
    content: (body) =>
      liveLocationContent({
        latitude: body.latitude,
        longitude: body.longitude,
        ...given({
          accuracy_in_meters: body.accuracy_in_meters,
          speed_in_mps: body.speed_in_mps,
          degrees_clockwise_from_magnetic_north: body.degrees_clockwise_from_magnetic_north,
          caption: body.caption,
          sequence_number: body.sequence_number,
          time_offset: body.time_offset,
          thumbnail: body.thumbnail,
          thumbnail_url: body.thumbnail_url,
        }),
      }),
    simple: { message: 'Live location sent successfully', further: [] },
  });
}

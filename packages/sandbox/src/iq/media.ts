import { childNamed, stanza } from '../wire/stanza.ts';
import { BAD_REQUEST, type IqHandler } from './answer.ts';

const SIX_HOURS_SECONDS = '21600';
const HOUR_SECONDS = '3600';

/** `w:m`: where media is uploaded to and downloaded from (whatsmeow mediaconn.go queryMediaConn). */
const mediaConnection: IqHandler = ({ network, sender, iq }) => {
  if (!childNamed(iq, 'media_conn')) return { error: BAD_REQUEST };
  const { media } = network;
  if (!media) return { error: { code: 503, text: 'service-unavailable' } };
  const hostname = media.hostname(sender.address.device);
  return {
    content: [
      stanza(
        'media_conn',
        {
          auth: media.authToken(),
          ttl: HOUR_SECONDS,
          auth_ttl: SIX_HOURS_SECONDS,
          max_buckets: '12',
        },
        [stanza('host', { hostname, type: 'primary' }), stanza('host', { hostname, type: 'fallback' })],
      ),
    ],
  };
};

export const mediaHandlers: ReadonlyArray<readonly [string, IqHandler]> = [['w:m', mediaConnection]];

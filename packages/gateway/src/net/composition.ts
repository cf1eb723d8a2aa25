/** The clients for requests to other hosts. */
import type { Step } from '../steps.ts';
import { GuardedClient } from './guarded-client.ts';
import { MediaHttp } from './media-http.ts';

export interface NetRoom {
  /** To the hosts that WhatsApp names for media. */
  mediaHttp: MediaHttp;
  /** To addresses that users name. */
  guarded: GuardedClient;
  clients: Step;
}

export function composeNet(parts: {
  caFile: string | null;
  defaultNetwork: boolean;
  allowNetworks: readonly string[];
}): NetRoom {
  const mediaHttp = new MediaHttp({ caFile: parts.caFile, defaultNetwork: parts.defaultNetwork });
  const guarded = new GuardedClient({ allowNetworks: parts.allowNetworks });
  return {
    mediaHttp,
    guarded,
    clients: { name: 'clients', stop: () => Promise.allSettled([mediaHttp.close(), guarded.close()]) },
  };
}

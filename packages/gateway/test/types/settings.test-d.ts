/** Settings: what the environment says, and what a gateway runs with once the first start has made the rest. */
import type { Config, loadConfig, Settings } from '../../src/config.ts';
import type { createGateway } from '../../src/gateway.ts';
import type { Claims, Fits, Is, Refused } from './expect-type.ts';

type Made = 'masterToken' | 'encryptionKey';

export type SettingsClaims = Claims<
  [
    Is<ReturnType<typeof loadConfig>, Settings>,
    Is<Parameters<typeof createGateway>[0], Settings>,
    // A gateway has both secrets; settings alone do not make one.
    Refused<Settings, Config>,
    Refused<null, Config[Made]>,
    Fits<Config, Settings>,
    Is<Omit<Settings, Made>, Omit<Config, Made>>,
    // Words, not any text.
    Refused<string, Config['logLevel']>,
    Refused<string, Config['databaseSync']>,
  ]
>;

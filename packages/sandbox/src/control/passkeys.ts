import { PASSKEY_DEMANDS } from '../link.ts';
import { CODE_ANSWERS } from '../phones/linking/passkey-linking.ts';
import type { Phone } from '../phones/phone.ts';
import { optionalFlag, optionalNumber, optionalText, optionalWord, present, text } from './fields.ts';
import type { JsonObject, Router } from './router.ts';

/** What `GET /` says of these routes. */
export const PASSKEY_OPERATIONS = [
  'PATCH /phones/{number}/passkey {demand?: none|offered|required, codes?: accept|ask|refuse, embedded?, listed?, …}',
  'GET /phones/{number}/passkey',
  'POST /phones/{number}/passkeys {id, publicKey}',
  'POST /phones/{number}/passkey/sign {options, origin?, rpId?, userVerified?}',
  'GET /phones/{number}/passkey/code',
  'POST /phones/{number}/passkey/code {same}',
] as const;

/** Passkeys of an account, and the code that its phone shows when a device is linked. */
export function addPasskeys(router: Router, phoneOf: (given: string | undefined) => Phone): void {
  const at = (params: Readonly<Record<string, string>>) => phoneOf(params.number);
  router
    .on('PATCH', '/phones/{number}/passkey', ({ params, body }) => {
      const phone = at(params);
      phone.passkey = policyIn(body);
      return phone.passkey;
    })
    .on('GET', '/phones/{number}/passkey', ({ params }) => at(params).passkey)
    .on('POST', '/phones/{number}/passkeys', ({ params, body }) =>
      at(params).registerPasskey({ id: text(body, 'id'), publicKey: text(body, 'publicKey') }),
    )
    .on('POST', '/phones/{number}/passkey/sign', ({ params, body }) => {
      const options = (body.options ?? {}) as JsonObject;
      const asked = { challenge: text(options, 'challenge'), rpId: text(options, 'rpId') };
      return at(params).authenticator.sign(
        asked,
        present({
          origin: optionalText(body, 'origin'),
          rpId: optionalText(body, 'rpId'),
          userVerified: optionalFlag(body, 'userVerified'),
        }),
      );
    })
    .on('GET', '/phones/{number}/passkey/code', ({ params }) => at(params).passkeyCode())
    .on('POST', '/phones/{number}/passkey/code', ({ params, body }) =>
      at(params).answerPasskeyCode(optionalFlag(body, 'same') ?? false),
    );
}

function policyIn(body: JsonObject): Phone['passkey'] | Partial<Phone['passkey']> {
  return present({
    demand: optionalWord(body, 'demand', PASSKEY_DEMANDS),
    codes: optionalWord(body, 'codes', CODE_ANSWERS),
    embedded: optionalFlag(body, 'embedded'),
    listed: optionalFlag(body, 'listed'),
    timeoutMs: optionalNumber(body, 'timeoutMs'),
    offerMs: optionalNumber(body, 'offerMs'),
    removeAfterMs: optionalNumber(body, 'removeAfterMs'),
    origin: optionalText(body, 'origin'),
  });
}

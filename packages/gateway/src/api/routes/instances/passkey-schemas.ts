/** The passkey step of linking, as requests and answers have it. */
import { Type } from 'typebox';
import { rfc3339 } from '../../../clock.ts';
import { PASSKEY_STEPS, type PasskeyStep } from '../../../devices/passkey-step.ts';
import { refusing } from '../../description/stated.ts';
import { Nullable, OneOf, Rfc3339, Uuid } from '../../schemas.ts';

const Base64Url = (maxLength: number, description: string, example: string) =>
  refusing(
    'what is not base64url, with or without padding',
    Type.String({ minLength: 1, maxLength, description, examples: [example] }),
  );

const step = {
  step: OneOf(PASSKEY_STEPS, {
    title: 'PasskeyStep',
    description:
      '`required`: somebody has to sign. `verifying`: WhatsApp and the phone look at it. `confirm`: somebody has to ' +
      'compare the code with the phone. `linking`: the phone takes the device in',
  }),
  expires_at: Rfc3339,
  ttl: Type.Integer({ description: 'Seconds left for this step', examples: [600] }),
  code: Nullable(
    Type.String({
      description: 'What the phone shows; null before it has answered',
      examples: ['K7M2-9QXZ'],
    }),
  ),
  code_required: Nullable(
    Type.Boolean({ description: 'Somebody has to compare the code; null before the phone has answered' }),
  ),
};

/** The step in answers that are about more. */
export const PasskeyMember = Nullable(
  Type.Object(step, {
    title: 'Passkey',
    description: 'While WhatsApp asks for a passkey before it links the device: `GET /devices/{id}/passkey`',
  }),
);

export const PasskeyData = Type.Object({
  success: Type.Literal(true),
  data: Type.Object({
    device_id: Uuid,
    ...step,
    request_options: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      additionalProperties: true,
      title: 'PublicKeyCredentialRequestOptionsJSON',
      description:
        'Whole, as WhatsApp sent them, for `PublicKeyCredential.parseRequestOptionsFromJSON()` on ' +
        'https://web.whatsapp.com',
      examples: [
        { challenge: 'FC6vcJgP-Ov_66yfWgoh1w8m_trR92BnFDhg-e5JEwk', rpId: 'whatsapp.com', timeout: 600000 },
      ],
    }),
  }),
});

/** After an answer: null once the device is linked. */
export const PasskeyProgressData = Type.Object({
  success: Type.Literal(true),
  data: Type.Object({ device_id: Uuid, passkey: PasskeyMember }),
});

/** What an authenticator makes is small; these are limits for what is no assertion. */
const MOST = { id: 1_400, clientData: 8_000, authenticatorData: 8_000, signature: 4_000, handle: 200 };

const EXAMPLE = {
  id: 'Y3JlZGVudGlhbA',
  rawId: 'Y3JlZGVudGlhbA',
  type: 'public-key',
  authenticatorAttachment: 'platform',
  clientExtensionResults: {},
  response: {
    clientDataJSON:
      'eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiRkM2diIsIm9yaWdpbiI6Imh0dHBzOi8vd2ViLndoYXRzYXBwLmNvbSJ9',
    authenticatorData: '6nNvEHB4mdfBCOJ7DmcEZXFEqrkwUkqsZ-0hQiH-3DwFAAAAAQ',
    signature: 'MEQCIHNhbXBsZQ',
    userHandle: 'dXNlcg',
  },
};

export const PasskeyAssertionBody = Type.Object(
  {
    id: Base64Url(MOST.id, 'The credential that signed', 'Y3JlZGVudGlhbA'),
    rawId: Type.Optional(Base64Url(MOST.id, 'The same as `id`', 'Y3JlZGVudGlhbA')),
    type: OneOf(['public-key'] as const),
    authenticatorAttachment: Type.Optional(Nullable(Type.String({ maxLength: 100, examples: ['platform'] }))),
    clientExtensionResults: Type.Optional(
      refusing(
        'more than 16,000 characters',
        Type.Unsafe<Record<string, unknown>>({
          type: 'object',
          additionalProperties: true,
          description: 'Handed on as it is',
        }),
      ),
    ),
    response: Type.Object({
      clientDataJSON: Base64Url(
        MOST.clientData,
        'What was signed, by which site',
        'eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0',
      ),
      authenticatorData: Base64Url(
        MOST.authenticatorData,
        'What the authenticator says of itself',
        'c2FtcGxl',
      ),
      signature: Base64Url(MOST.signature, 'Over both', 'c2lnbmF0dXJl'),
      userHandle: Type.Optional(Nullable(Type.String({ maxLength: MOST.handle, examples: ['dXNlcg'] }))),
    }),
  },
  {
    title: 'AuthenticationResponseJSON',
    description: '`PublicKeyCredential.toJSON()` of what `navigator.credentials.get()` gives',
    examples: [EXAMPLE],
  },
);

/** `now` in milliseconds. */
export function passkeyMembers(current: PasskeyStep, now: number) {
  return {
    step: current.step,
    expires_at: rfc3339(current.expiresAt),
    ttl: Math.max(0, Math.ceil((current.expiresAt - now) / 1000)),
    code: current.code,
    code_required: current.codeRequired,
  };
}

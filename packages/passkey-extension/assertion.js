/** The browser's answer, in the form that `PublicKeyCredential.toJSON()` gives. */

const ANSWER = '#wuts-answer=';

/**
 * Content scripts have the page's origin towards the browser: the passkey of whatsapp.com is found, and what is
 * signed names https://web.whatsapp.com.
 * @param {PublicKeyCredentialRequestOptions} publicKey
 */
async function signAssertion(publicKey) {
  const made = await navigator.credentials.get({ publicKey });
  const credential = /** @type {PublicKeyCredential} */ (made);
  const response = /** @type {AuthenticatorAssertionResponse} */ (credential.response);
  return {
    id: credential.id,
    rawId: base64url(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: {
      clientDataJSON: base64url(response.clientDataJSON),
      authenticatorData: base64url(response.authenticatorData),
      signature: base64url(response.signature),
      ...(response.userHandle && { userHandle: base64url(response.userHandle) }),
    },
  };
}

/**
 * Where the answer goes: to the page that was shown, in the fragment, which no server and no log sees.
 * @param {PasskeyRequest} request
 * @param {object} credential
 */
function answerAddress({ page, link, state }, credential) {
  const answer = new TextEncoder().encode(JSON.stringify({ v: 1, link, state, credential }));
  return `${page}${ANSWER}${base64url(answer)}`;
}

/** @param {ArrayBuffer | Uint8Array} bytes */
function base64url(bytes) {
  const binary = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

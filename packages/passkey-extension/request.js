/**
 * What a page asks, from the fragment of the address. Anybody can open web.whatsapp.com with any fragment, so
 * nothing in it is believed, and nothing beyond what is named here goes on to the browser.
 */

/** The fragment is `#wuts-passkey=` and base64url of JSON. */
const FRAGMENT = '#wuts-passkey=';
/** Sixty credentials of 200 bytes fit; what WhatsApp asks has none or a few. */
const LONGEST_FRAGMENT = 32_768;
const RELYING_PARTY = 'whatsapp.com';
const LONGEST_ADDRESS = 512;
/** A credential id has at most 1023 bytes (WebAuthn, section 4). */
const LONGEST_CREDENTIAL = 1364;
const MOST_CREDENTIALS = 64;
/** WhatsApp gives ten minutes (`"timeout":600000`, seen in Baileys pull request 2689). */
const LONGEST_TIMEOUT_MS = 600_000;
const TRANSPORTS = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'];
const VERIFICATION = ['required', 'preferred', 'discouraged'];
const BASE64URL = /^[\w-]+$/;
const NAME = /^[\w-]{8,128}$/;
/** Where a gateway may stand: at the root of its host, or below folders of plain names. */
const PAGE = /^\/(?:[\w.~-]+\/)*passkey\/$/;

/**
 * @typedef {object} PasskeyRequest
 * @property {string} origin Shown to the person; the answer goes nowhere else.
 * @property {string} page The page of that origin that takes the answer.
 * @property {string} link
 * @property {string} state
 * @property {PublicKeyCredentialRequestOptions} options
 */

/**
 * Null where the fragment is not meant for the extension; `refused` names an entry of the texts.
 * @param {string} fragment
 * @returns {PasskeyRequest | { refused: keyof typeof TEXTS.refusals } | null}
 */
function requestIn(fragment) {
  if (!fragment.startsWith(FRAGMENT)) return null;
  if (fragment.length > LONGEST_FRAGMENT) return { refused: 'too_long' };
  const asked = parsed(fragment.slice(FRAGMENT.length));
  if (asked === null) return { refused: 'unreadable' };
  if (asked.v !== 1) return { refused: 'version' };
  const page = pageAt(asked.page);
  if (page === null) return { refused: 'address' };
  const { link, state } = asked;
  if (!matches(link, NAME) || !matches(state, NAME)) return { refused: 'names' };
  const { options } = asked;
  if (typeof options !== 'object' || options === null) return { refused: 'options' };
  if (options.rpId !== RELYING_PARTY) return { refused: 'other_site' };
  const checked = checkedOptions(options);
  if (checked === null) return { refused: 'options' };
  return { origin: page.origin, page: page.href, link, state, options: checked };
}

/** @param {string} text @returns {Record<string, any> | null} */
function parsed(text) {
  try {
    const bytes = bytesOf(text);
    const value = bytes && JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * https, or this machine itself, as browsers see secure contexts.
 * @param {unknown} address
 * @returns {URL | null}
 */
function pageAt(address) {
  if (typeof address !== 'string' || address.length > LONGEST_ADDRESS || !URL.canParse(address)) return null;
  const url = new URL(address);
  const local = url.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !local) return null;
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return null;
  return PAGE.test(url.pathname) ? url : null;
}

/**
 * The options for the browser, of members that are known alone: extensions such as `prf` would hand secrets of
 * the passkey to whoever asks. `uvm`, which WhatsApp asks for, tells only how the person was recognised.
 * @param {Record<string, any>} options
 * @returns {PublicKeyCredentialRequestOptions | null}
 */
function checkedOptions(options) {
  const { challenge, allowCredentials = [], userVerification = 'preferred', timeout, extensions } = options;
  const bytes = bytesOf(challenge);
  if (bytes === null || bytes.length < 16 || bytes.length > 1024) return null;
  if (!VERIFICATION.includes(userVerification)) return null;
  if (!Array.isArray(allowCredentials) || allowCredentials.length > MOST_CREDENTIALS) return null;
  const allowed = allowCredentials.map(allowedCredential);
  const known = allowed.filter((each) => each !== null);
  if (known.length !== allowed.length) return null;
  if (timeout !== undefined && !(Number.isInteger(timeout) && timeout > 0)) return null;
  return {
    challenge: bytes,
    rpId: RELYING_PARTY,
    allowCredentials: known,
    userVerification,
    timeout: Math.min(timeout ?? LONGEST_TIMEOUT_MS, LONGEST_TIMEOUT_MS),
    ...(extensions?.uvm === true && { extensions: /** @type {object} */ ({ uvm: true }) }),
  };
}

/** @param {any} credential @returns {PublicKeyCredentialDescriptor | null} */
function allowedCredential(credential) {
  const { id, type, transports = [] } = credential ?? {};
  const bytes = typeof id === 'string' && id.length <= LONGEST_CREDENTIAL ? bytesOf(id) : null;
  if (bytes === null || type !== 'public-key' || !Array.isArray(transports)) return null;
  // What is unknown is a hint that this browser cannot follow.
  return { id: bytes, type, transports: transports.filter((each) => TRANSPORTS.includes(each)) };
}

/** @param {unknown} text base64url @returns {Uint8Array<ArrayBuffer> | null} */
function bytesOf(text) {
  if (!matches(text, BASE64URL)) return null;
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

/** @param {unknown} value @param {RegExp} pattern @returns {value is string} */
function matches(value, pattern) {
  return typeof value === 'string' && pattern.test(value);
}

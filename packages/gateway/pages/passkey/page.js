/** Leads a person through the passkey step. All that it knows comes from the server it stands on. */
import { bytesOf, textOf } from './base64url.js';
import { fillTexts, show, showLeft, tell } from './show.js';
import { TEXTS } from './texts.js';

/**
 * @typedef {object} Visit What the server tells of a link.
 * @property {string} link Names the link, and opens nothing.
 * @property {string} state Comes back with an answer: proves that this browser asked for it.
 * @property {'required' | 'verifying' | 'confirm' | 'linking' | 'linked' | 'over'} step
 * @property {number} ttl Seconds.
 * @property {string | null} code
 * @property {Record<string, unknown> | null} request_options
 * @property {string | null} reason
 */

const POLL_MS = 1500;
const ANSWER = '#wuts-answer=';
const LINK = '#link=';
/** An answer of a passkey has about 1 kB. */
const LONGEST_ANSWER = 65_536;

/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @param {string} id */
const field = (id) => /** @type {HTMLTextAreaElement} */ (part(id));

/** @type {Visit | null} */
let visit = null;
/** Counts what the address asked for: an older poll must not overwrite it. */
let round = 0;

class Refused extends Error {
  /**
   * @param {string} code
   * @param {number} status
   */
  constructor(code, status) {
    const known = /** @type {Record<string, string>} */ (TEXTS.problems.codes)[code];
    super(known ?? `${TEXTS.problems.failed} ${code}`);
    this.code = code;
    /** Asking again helps: the server is busy, or starts anew. */
    this.passes = status >= 500 || status === 429;
  }
}

/**
 * @param {string} method
 * @param {string} path Relative: the server may stand below a path of its host.
 * @param {object} [body]
 * @returns {Promise<Visit>}
 */
async function ask(method, path, body) {
  const response = await fetch(path, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Refused(answer.error_code, response.status);
  return answer.data;
}

/** Looks at the address: a link that was given, one that was opened here, or an answer. */
async function begin() {
  round += 1;
  visit = null;
  const { hash } = location;
  tell(null);
  if (hash.startsWith(ANSWER)) return receive(hash.slice(ANSWER.length));
  if (hash.startsWith(LINK)) return follow(hash.slice(LINK.length), round);
  if (hash.length > 1) return show('begin', TEXTS.begin.title);
  show(null, '');
  tell(TEXTS.problems.noLink);
}

/** From here on the link works in this browser alone. */
async function open() {
  const opened = await ask('POST', 'open', { token: location.hash.slice(1) });
  // The link itself is of no more use, and should not stay in the history.
  history.replaceState(null, '', `${LINK}${opened.link}`);
  await follow(opened.link, round);
}

/**
 * What the extension brought back.
 * @param {string} text
 */
async function receive(text) {
  const bytes = text.length > LONGEST_ANSWER ? null : bytesOf(text);
  const answer = bytes && parsed(new TextDecoder().decode(bytes));
  const { link: named, state, credential } = answer ?? {};
  const link = typeof named === 'string' && /^[\w-]{8,64}$/.test(named) ? named : null;
  history.replaceState(null, '', link === null ? location.pathname : `${LINK}${link}`);
  if (link === null) {
    tell(TEXTS.problems.damaged);
    return;
  }
  const asked = await ask('GET', `links/${link}`);
  if (state !== asked.state) tell(TEXTS.problems.foreign);
  else await handIn(asked, credential);
  await follow(link, round);
}

/** @param {Visit} asked @param {object} credential */
async function handIn({ link, state }, credential) {
  tell(null);
  await ask('POST', `links/${link}/assertion`, { state, credential }).catch((error) => {
    if (!(error instanceof Refused)) throw error;
    tell(error.message);
  });
}

/**
 * Shows how far it is, again and again until it is over.
 * @param {string} link
 * @param {number} of
 */
async function follow(link, of) {
  for (;;) {
    try {
      const now = await ask('GET', `links/${link}`);
      if (of !== round) return;
      if (part('problem').textContent === TEXTS.problems.unreachable) tell(null);
      render(now);
      if (now.step === 'linked' || now.step === 'over') return;
    } catch (error) {
      if (of !== round) return;
      if (error instanceof Refused && !error.passes) throw error;
      tell(TEXTS.problems.unreachable);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** @param {Visit} now */
function render(now) {
  const before = visit;
  visit = now;
  showLeft(now);
  if (before?.step === now.step) return;
  part('code').textContent = now.code ?? '';
  part('seen-code').textContent = now.code ? `${TEXTS.linking.code} ${now.code}` : '';
  part('seen-code').hidden = now.code === null;
  if (now.step === 'required') offerToSign(now).catch(failed);
  // What went wrong before is over, now that it has gone on.
  if (before !== null) tell(null);
  const why = /** @type {Record<string, string>} */ (TEXTS.over.why);
  if (now.step === 'over') part('why').textContent = why[now.reason ?? ''] ?? TEXTS.over.why.other;
  show(now.step, TEXTS[now.step].title);
}

/** @param {Visit} now */
async function offerToSign({ link, state, request_options: options }) {
  const page = `${location.origin}${location.pathname}`;
  const asked = textOf(new TextEncoder().encode(JSON.stringify({ v: 1, page, link, state, options })));
  const sign = /** @type {HTMLAnchorElement} */ (part('sign'));
  sign.href = `https://web.whatsapp.com/#wuts-passkey=${asked}`;
  part('with').hidden = !isSecureContext;
  part('insecure').hidden = isSecureContext;
  if (!isSecureContext) part('without').setAttribute('open', '');
  const snippet = await (await fetch('snippet.js')).text();
  field('snippet').value = snippet.replace('__OPTIONS__', () => JSON.stringify(options));
}

async function copySnippet() {
  const { copied, notCopied } = TEXTS.required.without;
  field('snippet').select();
  // Without https there is no clipboard but this one.
  const done = await navigator.clipboard?.writeText(field('snippet').value).then(
    () => true,
    () => false,
  );
  part('copied').textContent = (done ?? document.execCommand('copy')) ? copied : notCopied;
}

async function handInPasted() {
  const credential = parsed(field('answer').value.trim());
  if (visit === null) return;
  if (credential === null) return tell(TEXTS.problems.damaged);
  await handIn(visit, credential);
  field('answer').value = '';
}

/** @param {string} text @returns {Record<string, any> | null} */
function parsed(text) {
  try {
    const value = JSON.parse(text.length > LONGEST_ANSWER ? '' : text);
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * A button that does one thing at a time and says what went wrong.
 * @param {string} id
 * @param {() => Promise<unknown>} act
 */
function onPress(id, act) {
  const button = /** @type {HTMLButtonElement} */ (part(id));
  button.addEventListener('click', async () => {
    button.disabled = true;
    await act().catch(failed);
    button.disabled = false;
  });
}

/** @param {unknown} error */
function failed(error) {
  tell(error instanceof Refused ? error.message : TEXTS.problems.unreachable);
  if (error instanceof Refused && error.code.startsWith('PASSKEY_LINK_')) show(null, '');
}

fillTexts();
onPress('start', open);
onPress('copy', copySnippet);
onPress('hand-in', handInPasted);
onPress('same', async () => visit && (await ask('POST', `links/${visit.link}/confirm`)));
onPress('differs', async () => visit && (await ask('DELETE', `links/${visit.link}`)));
onPress('give-up', async () => visit && (await ask('DELETE', `links/${visit.link}`)));
addEventListener('hashchange', () => begin().catch(failed));
begin().catch(failed);

/** What is seen of the page: one section at a time, a problem above it, the time that is left. */
import { TEXTS } from './texts.js';

const SECTIONS = ['begin', 'required', 'verifying', 'confirm', 'linking', 'linked', 'over'];
/** While one waits for these, there is something to stop. */
const UNDER_WAY = ['required', 'verifying', 'confirm'];

/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** Puts the words where the page names them. */
export function fillTexts() {
  document.title = TEXTS.title;
  for (const element of document.querySelectorAll('[data-text]')) {
    element.textContent = textAt(element.getAttribute('data-text') ?? '');
  }
  part('what').replaceChildren(
    ...TEXTS.begin.steps.map((text) => Object.assign(document.createElement('li'), { textContent: text })),
  );
}

/** @param {string} path Such as `begin.title`. */
function textAt(path) {
  let at = /** @type {unknown} */ (TEXTS);
  for (const name of path.split('.')) at = /** @type {Record<string, unknown>} */ (at)[name];
  return String(at);
}

/**
 * @param {string | null} section
 * @param {string} news Read out by screen readers.
 */
export function show(section, news) {
  for (const each of SECTIONS) part(each).hidden = each !== section;
  const underWay = section !== null && UNDER_WAY.includes(section);
  part('leave').hidden = !underWay;
  part('time').hidden = !underWay;
  part('news').textContent = news;
  if (section !== null) part(section).querySelector('h2')?.focus();
}

/** @param {string | null} problem */
export function tell(problem) {
  part('problem').textContent = problem ?? '';
  part('problem').hidden = problem === null;
}

/** @type {ReturnType<typeof setInterval> | undefined} */
let ticking;

/** @param {{ ttl: number }} visit */
export function showLeft({ ttl }) {
  clearInterval(ticking);
  const until = performance.now() + ttl * 1000;
  const write = () => {
    const left = Math.max(0, Math.round((until - performance.now()) / 1000));
    part('left').textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
  };
  write();
  ticking = setInterval(write, 1000);
}

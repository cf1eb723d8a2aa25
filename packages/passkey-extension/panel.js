/**
 * What the person sees, above WhatsApp's page. It lives in a closed shadow root, which scripts of the page cannot
 * enter, and a button counts only when a person pressed it (`isTrusted`) who has had the panel in sight for a
 * moment: nobody can be led to press where the button is about to appear.
 */

/** Time to see what one is about to press. */
const SEEN_MS = 1000;

const STYLE = `
  :host { all: initial; position: fixed; inset: 0; z-index: 2147483647; display: grid; place-items: center;
    inline-size: 100%; block-size: 100%; max-inline-size: none; max-block-size: none; margin: 0; padding: 16px;
    border: 0; box-sizing: border-box; background: rgb(0 0 0 / 60%); overflow: auto; }
  section { box-sizing: border-box; inline-size: min(480px, 100%); padding: 24px; border-radius: 12px;
    background: #fff; color: #1b1b1f; font: 16px/1.5 system-ui, sans-serif; color-scheme: light; }
  h1 { margin: 0 0 12px; font-size: 20px; line-height: 1.3; }
  p { margin: 0 0 12px; }
  .origin { padding: 12px; border: 2px solid #1b1b1f; border-radius: 8px; font: bold 17px/1.4 ui-monospace, monospace;
    overflow-wrap: anywhere; }
  .buttons { display: flex; flex-wrap: wrap; gap: 12px; margin-block-start: 20px; }
  button { flex: 1 1 180px; min-block-size: 44px; padding: 10px 16px; border: 2px solid #12633f; border-radius: 8px;
    background: #fff; color: #12633f; font: inherit; font-weight: 600; cursor: pointer; }
  button.main { background: #12633f; color: #fff; }
  button:disabled { opacity: .5; cursor: default; }
  button:focus-visible { outline: 3px solid #1a6fd6; outline-offset: 2px; }
`;

/**
 * @typedef {object} PanelButton
 * @property {string} text
 * @property {boolean} [main] The one that agrees to something: not to be pressed before the panel was seen.
 * @property {() => void} press
 */

class Panel {
  #host = document.createElement('div');
  #section = document.createElement('section');
  /** @type {Element | null} */
  #before = document.activeElement;

  constructor() {
    const root = this.#host.attachShadow({ mode: 'closed' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    this.#section.setAttribute('role', 'alertdialog');
    this.#section.setAttribute('aria-modal', 'true');
    this.#section.setAttribute('aria-labelledby', 'title');
    this.#section.tabIndex = -1;
    root.append(this.#section);
    this.#host.popover = 'manual';
    document.documentElement.append(this.#host);
    // In the browser's top layer nothing of the page can lie above it.
    this.#host.showPopover();
    // The page's own shortcuts would take what is typed here.
    for (const type of ['keydown', 'keypress', 'keyup']) {
      this.#host.addEventListener(type, (event) => event.stopPropagation());
    }
  }

  /**
   * @param {string} title
   * @param {(string | { origin: string })[]} paragraphs
   * @param {PanelButton[]} buttons
   */
  show(title, paragraphs, buttons) {
    const heading = document.createElement('h1');
    heading.id = 'title';
    heading.textContent = title;
    const row = document.createElement('div');
    row.className = 'buttons';
    row.append(...buttons.map((each) => this.#button(each)));
    this.#section.replaceChildren(heading, ...paragraphs.map(paragraphElement), row);
    // Not a button: the Enter that was meant for the page before would press it.
    this.#section.focus();
  }

  close() {
    this.#host.remove();
    if (this.#before instanceof HTMLElement) this.#before.focus();
  }

  /** @param {PanelButton} button */
  #button({ text, main = false, press }) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = text;
    button.className = main ? 'main' : '';
    if (main) {
      button.disabled = true;
      onceSeen(() => {
        button.disabled = false;
      });
    }
    button.addEventListener('click', (event) => {
      if (event.isTrusted && !button.disabled) press();
    });
    return button;
  }
}

/** @param {string | { origin: string }} paragraph */
function paragraphElement(paragraph) {
  const element = document.createElement('p');
  element.className = typeof paragraph === 'string' ? '' : 'origin';
  element.textContent = typeof paragraph === 'string' ? paragraph : paragraph.origin;
  return element;
}

/**
 * Calls back once the page has been in front of a person for a second without a break.
 * @param {() => void} seen
 */
function onceSeen(seen) {
  const inFront = () => document.visibilityState === 'visible' && document.hasFocus();
  let since = inFront() ? performance.now() : null;
  const look = () => {
    if (!inFront()) since = null;
    else since ??= performance.now();
    if (since !== null && performance.now() - since >= SEEN_MS) seen();
    else setTimeout(look, 100);
  };
  look();
}

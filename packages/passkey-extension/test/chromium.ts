/**
 * Debian's Chromium with an authenticator made of software, for whom `web.whatsapp.com` is a server of the test and
 * every other name does not exist: nothing leaves this machine.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core';
import { issueCdnCertificate } from '../../sandbox/src/cdn/certificate.ts';
import { EXTENSION } from './content-scripts.ts';

/** As `.ci/tools` installs it; WUTS_TEST_CHROMIUM names another. */
const CHROMIUM = process.env.WUTS_TEST_CHROMIUM ?? '/usr/bin/chromium';
const PATIENCE_MS = 60_000;

/** As DevTools takes it; bytes in base64, the key as PKCS #8. */
export interface Passkey {
  credentialId: string;
  privateKey: string;
  userHandle: string;
  signCount: number;
}

export interface ChromiumOptions {
  extension: boolean;
  /** HTML of web.whatsapp.com. */
  whatsapp?: string;
  /** Further answers of web.whatsapp.com's server, by whatever name it is asked. */
  answer?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Further names that lead to the server of the test. */
  names?: string[];
}

/** As strict as a page can be: the extension must not need anything of WhatsApp's own policy. */
const WHATSAPP_POLICY = "default-src 'none'; script-src 'unsafe-inline'; require-trusted-types-for 'script'";
const WHATSAPP_PAGE = '<!doctype html><title>WhatsApp</title><h1>The stand-in of WhatsApp Web</h1>';

export class Chromium {
  readonly #context: BrowserContext;
  readonly #server: Server;
  readonly #profile: string;

  private constructor(context: BrowserContext, server: Server, profile: string) {
    this.#context = context;
    this.#server = server;
    this.#profile = profile;
  }

  static async open({ extension, names = [], ...pages }: ChromiumOptions): Promise<Chromium> {
    const certificate = await issueCdnCertificate('web.whatsapp.com');
    const server = createServer(
      { cert: certificate.certificatePem, key: certificate.privateKeyPem },
      whatsappWeb(pages),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const known = new X509Certificate(certificate.certificatePem).publicKey;
    const pin = createHash('sha256').update(known.export({ type: 'spki', format: 'der' }));
    const profile = await mkdtemp(join(tmpdir(), 'wuts-chromium-'));
    const mapped = ['web.whatsapp.com', ...names].map((name) => `MAP ${name}:443 127.0.0.1:${port}`);
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      headless: true,
      // Its sandbox does not run as root, which containers are.
      chromiumSandbox: false,
      ignoreDefaultArgs: ['--disable-extensions'],
      args: [
        `--host-resolver-rules=${[...mapped, 'MAP * ~NOTFOUND', 'EXCLUDE 127.0.0.1', 'EXCLUDE localhost'].join(', ')}`,
        `--ignore-certificate-errors-spki-list=${pin.digest('base64')}`,
        ...(extension ? [`--load-extension=${EXTENSION}`, `--disable-extensions-except=${EXTENSION}`] : []),
      ],
    });
    context.setDefaultTimeout(PATIENCE_MS);
    return new Chromium(context, server, profile);
  }

  get version(): string {
    return this.#context.browser()?.version() ?? '';
  }

  /** A new tab; with a passkey, one whose authenticator has it and agrees at once. */
  async tab(passkey?: Passkey): Promise<Tab> {
    const page = await this.#context.newPage();
    const devtools = await this.#context.newCDPSession(page);
    return Tab.of(page, devtools, passkey);
  }

  /** Leaves none of a test's pages behind, which would go on asking. */
  async closeTabs(): Promise<void> {
    const pages = this.#context.pages();
    // Without any the browser would end.
    await this.#context.newPage();
    await Promise.all(pages.map((page) => page.close()));
  }

  async close(): Promise<void> {
    await this.#context.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#profile, { recursive: true, force: true });
  }
}

function whatsappWeb({ whatsapp = WHATSAPP_PAGE, answer }: Omit<ChromiumOptions, 'extension'>) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    if (answer?.(request, response)) return;
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('content-security-policy', WHATSAPP_POLICY);
    response.end(whatsapp);
  };
}

/** A node of the tree that DevTools sees: closed shadow roots included. */
interface DomNode {
  nodeId: number;
  nodeName: string;
  nodeValue: string;
  attributes?: string[];
  children?: DomNode[];
  shadowRoots?: DomNode[];
}

export class Tab {
  readonly page: Page;
  readonly devtools: CDPSession;
  readonly #authenticator: string;

  private constructor(page: Page, devtools: CDPSession, authenticator: string) {
    this.page = page;
    this.devtools = devtools;
    this.#authenticator = authenticator;
  }

  static async of(page: Page, devtools: CDPSession, passkey?: Passkey): Promise<Tab> {
    await devtools.send('WebAuthn.enable');
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    const tab = new Tab(page, devtools, authenticatorId);
    if (passkey) await tab.#learn(passkey);
    return tab;
  }

  async #learn(passkey: Passkey): Promise<void> {
    const credential = { ...passkey, isResidentCredential: true, rpId: 'whatsapp.com' };
    await this.devtools.send('WebAuthn.addCredential', { authenticatorId: this.#authenticator, credential });
  }

  /** How often the passkey has signed. */
  async signed(): Promise<number> {
    const { credentials } = await this.devtools.send('WebAuthn.getCredentials', {
      authenticatorId: this.#authenticator,
    });
    return credentials.reduce((sum, { signCount }) => sum + signCount, 0);
  }

  /** Runs it as somebody does who pastes it into the console. */
  async paste(expression: string): Promise<void> {
    const { exceptionDetails } = await this.devtools.send('Runtime.evaluate', {
      expression,
      includeCommandLineAPI: true,
      replMode: true,
      awaitPromise: true,
      userGesture: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  }

  /** What the extension's panel says; null where there is none. */
  async panel(): Promise<string | null> {
    const section = await this.#panelSection();
    return section && textOf(section);
  }

  /** The node of a button of the panel, once it can be pressed. */
  pressable(label: string): Promise<number> {
    return this.until(`the panel's button "${label}" can be pressed`, async () => {
      const isIt = (node: DomNode): boolean => node.nodeName === 'BUTTON' && textOf(node) === label;
      const button = find(await this.#panelSection(), isIt);
      return button && !button.attributes?.includes('disabled') && button.nodeId;
    });
  }

  /** Presses a button of the panel as a mouse does. */
  async press(label: string): Promise<void> {
    const { model } = await this.devtools.send('DOM.getBoxModel', { nodeId: await this.pressable(label) });
    const [left = 0, top = 0, , , right = 0, bottom = 0] = model.content;
    await this.page.mouse.click((left + right) / 2, (top + bottom) / 2);
  }

  async pressByScript(nodeId: number): Promise<void> {
    const { object } = await this.devtools.send('DOM.resolveNode', { nodeId });
    const { objectId } = object;
    if (objectId === undefined) throw new Error('the button is gone');
    await this.devtools.send('Runtime.callFunctionOn', {
      objectId,
      functionDeclaration: 'function () { this.click(); }',
    });
  }

  /** Asks again until the answer is yes. */
  async until<T>(what: string, ask: () => Promise<T | false | null | undefined>): Promise<T> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const answer = await ask();
      if (answer) return answer;
      if (Date.now() > deadline) throw new Error(`timed out waiting until ${what}; at ${this.page.url()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #panelSection(): Promise<DomNode | null> {
    const { root } = await this.devtools.send('DOM.getDocument', { depth: -1, pierce: true });
    return find(root, ({ attributes }) => attributes?.includes('alertdialog') === true);
  }
}

function find(node: DomNode | null, wanted: (node: DomNode) => boolean): DomNode | null {
  if (node === null || wanted(node)) return node;
  for (const child of [...(node.children ?? []), ...(node.shadowRoots ?? [])]) {
    const found = find(child, wanted);
    if (found) return found;
  }
  return null;
}

function textOf(node: DomNode): string {
  if (node.nodeName === '#text') return node.nodeValue;
  return (node.children ?? []).map(textOf).join(node.nodeName === 'SECTION' ? '\n' : '');
}

/** What the account shows of itself, asked and changed. */
import { AnswerUnreadable, RequestRefused, SessionNotOpen } from '../../port/errors.ts';
import {
  type DefaultTimer,
  PRIVACY_NAMES,
  type PrivacySetting,
  type SessionProfile,
} from '../../port/profile.ts';
import { sessionError } from '../connection/engine-errors.ts';
import type { Link } from '../connection/link.ts';
import { assertAnswered } from '../connection/unanswered.ts';
import {
  type BinaryNode,
  getBinaryNodeChild,
  proto,
  type Socket,
  USyncQuery,
  USyncUser,
} from '../library.ts';
import { applyPatch } from './account.ts';

const SERVER = '@s.whatsapp.net';
const NOT_FOUND = 404;
const RECENT_MS = 60_000;

export function profile(link: Link): SessionProfile {
  const timer = new AccountTimer(link);
  return {
    privacy: () => link.ask(privacy),

    setPrivacy: (setting, value) =>
      link.ask(async (socket) => {
        const category = { tag: 'category', attrs: { name: setting, value } };
        await ask(socket, { type: 'set', xmlns: 'privacy' }, [
          { tag: 'privacy', attrs: {}, content: [category] },
        ]);
        // What the library has kept decides how the account's read receipts go out (`receipts.ts`).
        await privacy(socket);
      }),

    setPicture: (jpeg) =>
      link.ask(async (socket) => {
        const content = [{ tag: 'picture', attrs: { type: 'image' }, content: jpeg }];
        const answer = await ask(socket, { type: 'set', xmlns: 'w:profile:picture' }, content);
        const id = getBinaryNodeChild(answer, 'picture')?.attrs.id;
        if (id === undefined) throw new AnswerUnreadable('the id of the picture');
        return id;
      }),

    removePicture: () =>
      link.ask(async (socket) => {
        await ask(socket, { type: 'set', xmlns: 'w:profile:picture' });
      }),

    picture: (preview) => link.ask((socket) => ownPicture(socket, link.own().jid, preview)),

    about: () =>
      link.ask(async (socket) => {
        const query = new USyncQuery().withStatusProtocol().withUser(new USyncUser().withId(link.own().jid));
        const { status, setAt } =
          (await oneOf<{ status?: string | null; setAt?: Date }>(socket, query, 'status')) ?? {};
        const at = setAt instanceof Date ? setAt.getTime() : 0;
        return { text: status ?? '', setAt: at > 0 ? at : null };
      }),

    /** As Baileys has it (chats.js `updateProfileStatus`); whatsmeow's mutation does the same. */
    setAbout: (text) =>
      link.ask(async (socket) => {
        await ask(socket, { type: 'set', xmlns: 'status' }, [
          { tag: 'status', attrs: {}, content: Buffer.from(text, 'utf8') },
        ]);
      }),

    /** `["setting_pushName"]` (whatsmeow appstate/encode.go BuildSettingPushName). The server takes it from a presence. */
    async setName(name) {
      await applyPatch(link, () => ({
        type: 'critical_block',
        index: ['setting_pushName'],
        apiVersion: 1,
        syncAction: { pushNameSetting: { name }, timestamp: link.clock.now() },
        operation: proto.SyncdMutation.SyncdOperation.SET,
      }));
      await link.ask(async (socket) => {
        const { me } = socket.authState.creds;
        // The library says the name to the server when its credentials have another one (socket.js `creds.update`).
        if (me) socket.ev.emit('creds.update', { me: { ...me, name } });
      });
    },

    defaultTimer: () => timer.asked(),

    recentDefaultTimer: () => timer.recent(),

    /** whatsmeow privacysettings.go SetDefaultDisappearingTimer. */
    setDefaultTimer: (seconds) =>
      link.ask(async (socket) => {
        const mode = { tag: 'disappearing_mode', attrs: { duration: String(seconds) } };
        await ask(socket, { type: 'set', xmlns: 'disappearing_mode' }, [mode]);
        timer.forget();
      }),
  };
}

/** The account's default timer, which WhatsApp is not asked for each time that a chat is begun. */
class AccountTimer {
  readonly #link: Link;
  #kept: { timer: DefaultTimer; at: number } | null = null;

  constructor(link: Link) {
    this.#link = link;
  }

  asked(): Promise<DefaultTimer> {
    return this.#link.ask(async (socket) => {
      const query = new USyncQuery()
        .withDisappearingModeProtocol()
        .withUser(new USyncUser().withId(this.#link.own().jid));
      const told = await oneOf<{ duration?: number; setAt?: Date }>(socket, query, 'disappearing_mode');
      const at = told?.setAt instanceof Date ? told.setAt.getTime() : 0;
      const timer = { seconds: Number(told?.duration ?? 0) || 0, setAt: at > 0 ? at : null };
      this.#kept = { timer, at: this.#link.clock.monotonic() };
      return timer;
    });
  }

  async recent(): Promise<DefaultTimer> {
    const kept = this.#kept;
    return kept && this.#link.clock.monotonic() - kept.at < RECENT_MS ? kept.timer : this.asked();
  }

  forget(): void {
    this.#kept = null;
  }
}

async function ask(
  socket: Socket,
  attrs: { type: 'get' | 'set'; xmlns: string; target?: string },
  content?: BinaryNode[],
): Promise<BinaryNode> {
  const answer: BinaryNode = await socket.query({
    tag: 'iq',
    attrs: { to: SERVER, ...attrs },
    ...(content ? { content } : {}),
  });
  assertAnswered();
  return answer;
}

async function privacy(socket: Socket): Promise<Partial<Record<PrivacySetting, string>>> {
  const settings = await socket.fetchPrivacySettings(true);
  assertAnswered();
  return Object.fromEntries(
    PRIVACY_NAMES.flatMap((name) => (settings[name] ? [[name, settings[name]]] : [])),
  );
}

/** Without a token: with one for the own account the server does not answer (Baileys chats.js `profilePictureUrl`). */
async function ownPicture(socket: Socket, target: string, preview: boolean) {
  const picture = { tag: 'picture', attrs: { type: preview ? 'preview' : 'image', query: 'url' } };
  let answer: BinaryNode;
  try {
    answer = await ask(socket, { type: 'get', xmlns: 'w:profile:picture', target }, [picture]);
  } catch (error) {
    const known = sessionError(error, socket.ws.isOpen);
    if (known instanceof RequestRefused && known.whatsappCode === NOT_FOUND) return null;
    throw known;
  }
  const { id, url, type = '' } = getBinaryNodeChild(answer, 'picture')?.attrs ?? {};
  return id && url ? { id, type, url } : null;
}

async function oneOf<T>(socket: Socket, query: USyncQuery, protocol: string): Promise<T | null> {
  const result = await socket.executeUSyncQuery(query);
  assertAnswered();
  if (!result) throw new SessionNotOpen('WhatsApp did not answer the question');
  const [found] = result.list;
  return (found?.[protocol] as T | undefined) ?? null;
}

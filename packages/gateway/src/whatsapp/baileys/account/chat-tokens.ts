import type { Identity } from '../../port/identity.ts';
import { jidNormalizedUser, type SignalDataSet, type SignalKeyStore } from '../library.ts';
import type { LidDirectory } from '../parse/message-source.ts';
import type { ChatToken } from './history-reader.ts';

const KEY_TYPE = 'tctoken';
/** Where the library lists the chats it holds tokens of, to prune them (tc-token-utils.js). */
const INDEX = '__index';

/**
 * Keeps the contact tokens that history brings, in the library's form: it sends them with the first message
 * to a chat. A newer one that is there already stays.
 */
export async function storeChatTokens(
  keys: SignalKeyStore,
  directory: LidDirectory,
  tokens: ChatToken[],
): Promise<void> {
  const entries: NonNullable<SignalDataSet['tctoken']> = {};
  for (const { chat, token, timestamp, senderTimestamp } of tokens) {
    const jid = jidNormalizedUser(chat);
    const id = jid.endsWith('@lid') ? jid : ((await directory.getLIDForPN(jid)) ?? jid);
    const known = (await keys.get(KEY_TYPE, [id]))[id];
    if (known?.timestamp !== undefined && Number(known.timestamp) >= timestamp) continue;
    entries[id] = {
      ...known,
      token: Buffer.from(token),
      timestamp: String(timestamp),
      ...(senderTimestamp === null ? {} : { senderTimestamp }),
    };
  }
  const added = Object.keys(entries);
  if (added.length === 0) return;
  const index = [...new Set([...(await readIndex(keys)), ...added])];
  await keys.set({ [KEY_TYPE]: { ...entries, [INDEX]: { token: Buffer.from(JSON.stringify(index)) } } });
}

/** The library forgets tokens that are older (tc-token-utils.js: four spans of seven days). */
const GOOD_FOR_S = 28 * 24 * 3600;

/**
 * The token by which a person lets the account see what not everybody may: it goes with a question about a picture or
 * an about text (whatsmeow user.go GetProfilePictureInfo, usync). Null without one that is still good.
 * @param now milliseconds
 */
export async function goodToken(
  keys: Pick<SignalKeyStore, 'get'>,
  { jid, lid }: Identity,
  now: number,
): Promise<Uint8Array | null> {
  const names = [lid, jid].filter((name) => name !== null);
  const known = await keys.get(KEY_TYPE, names);
  for (const name of names) {
    const { token, timestamp } = known[name] ?? {};
    if (token?.length && Number(timestamp ?? 0) + GOOD_FOR_S > now / 1000) return token;
  }
  return null;
}

async function readIndex(keys: SignalKeyStore): Promise<string[]> {
  const stored = (await keys.get(KEY_TYPE, [INDEX]))[INDEX];
  if (!stored?.token?.length) return [];
  try {
    const listed: unknown = JSON.parse(Buffer.from(stored.token).toString('utf8'));
    return Array.isArray(listed) ? listed.filter((each) => typeof each === 'string' && each !== INDEX) : [];
  } catch {
    return [];
  }
}

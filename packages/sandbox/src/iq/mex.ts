import { QueryIds, XWAPaths } from 'baileys';
import { setAbout } from '../accounts/account-changes.ts';
import { metadata, type Newsletter } from '../newsletters/newsletters.ts';
import { bytesOf, childNamed, stanza } from '../wire/stanza.ts';
import { BAD_REQUEST, type IqHandler, type IqRequest } from './answer.ts';
import { keepPicture } from './pictures.ts';

type Json = { readonly [name: string]: unknown };

interface Operation {
  /** The member of `data` that the answer is in. */
  readonly path: string;
  /** Null when there is nothing by the name that was asked for. */
  run(request: IqRequest, variables: Json): object | null;
}

/** An operation on the channel that `newsletter_id` names; the answer describes the channel. */
function onNewsletter(path: string, run: (request: IqRequest, newsletter: Newsletter) => void): Operation {
  return {
    path,
    run: (request, { newsletter_id: jid }) => {
      const newsletter = request.network.newsletters.get(textIn(jid));
      if (!newsletter) return null;
      run(request, newsletter);
      return metadata(newsletter, request.sender.account);
    },
  };
}

const follow = onNewsletter(XWAPaths.xwa2_newsletter_join_v2, ({ network, sender }, newsletter) =>
  network.newsletters.follow(newsletter, sender),
);
const unfollow = onNewsletter(XWAPaths.xwa2_newsletter_leave_v2, ({ network, sender }, newsletter) =>
  network.newsletters.unfollow(newsletter, sender),
);
const mute = onNewsletter(XWAPaths.xwa2_newsletter_mute_v2, ({ network, sender }, newsletter) =>
  network.newsletters.mute(newsletter, sender, true),
);
const unmute = onNewsletter(XWAPaths.xwa2_newsletter_unmute_v2, ({ network, sender }, newsletter) =>
  network.newsletters.mute(newsletter, sender, false),
);

const reachOutLock: Operation = {
  path: XWAPaths.xwa2_fetch_account_reachout_timelock,
  run: ({ network, sender }) => network.reachOut.described(sender.account.user),
};

const createNewsletter: Operation = {
  path: 'xwa2_newsletter_create',
  run: ({ network, sender }, variables) => {
    const wanted = objectIn(variables.newsletter_input ?? variables.input);
    const picture = textIn(wanted.picture);
    const owned = {
      owner: sender.account,
      description: textIn(wanted.description),
      ...(picture && { picture: keepPicture(network, Buffer.from(picture, 'base64')) }),
    };
    return metadata(network.newsletters.create(textIn(wanted.name), owned), sender.account);
  },
};

const newsletterInfo: Operation = {
  path: 'xwa2_newsletter',
  run: ({ network, sender }, variables) => {
    const { key, type } = objectIn(variables.input);
    const name = textIn(key);
    const found = type === 'INVITE' ? network.newsletters.byInviteCode(name) : network.newsletters.get(name);
    return found ? metadata(found, sender.account) : null;
  },
};

const followed: Operation = {
  path: 'xwa2_newsletter_subscribed',
  run: ({ network, sender }) =>
    network.newsletters.followedBy(sender.account).map((newsletter) => metadata(newsletter, sender.account)),
};

const about: Operation = {
  path: 'xwa2_update_text_status',
  run: ({ network, sender }, variables) => {
    setAbout(network, sender.account, textIn(objectIn(variables.input).text));
    return {};
  },
};

/**
 * Queries are stored at the server and called by number; clients of different builds have different numbers for
 * the same one (Baileys Types/Mex.js QueryIds; whatsmeow newsletter.go and user.go).
 */
const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  [QueryIds.FOLLOW, follow],
  ['9926858900719341', follow],
  [QueryIds.UNFOLLOW, unfollow],
  ['6392786840836363', unfollow],
  [QueryIds.MUTE, mute],
  ['6274038279359549', mute],
  [QueryIds.UNMUTE, unmute],
  ['6068417879924485', unmute],
  [QueryIds.REACHOUT_TIMELOCK, reachOutLock],
  [QueryIds.CREATE, createNewsletter],
  ['6234210096708695', createNewsletter],
  [QueryIds.METADATA, newsletterInfo],
  ['6388546374527196', followed],
  ['9152604461510864', about],
]);

/**
 * `w:mex`: GraphQL queries by number, as JSON. Those that are not known, and what is not found, get the error
 * shape that clients parse (Baileys mex.js executeWMexQuery).
 */
const mex: IqHandler = (request) => {
  const query = childNamed(request.iq, 'query');
  if (!query) return { error: BAD_REQUEST };
  const operation = OPERATIONS.get(query.attrs.query_id ?? '');
  const result = operation?.run(request, variablesOf(bytesOf(query)));
  if (!operation || !result) return answer({ data: null, errors: [problem(operation !== undefined)] });
  return answer({ data: { [operation.path]: result } });
};

function answer(body: object) {
  return { content: [stanza('result', {}, Buffer.from(JSON.stringify(body), 'utf8'))] };
}

function problem(known: boolean) {
  return {
    message: known ? 'not found' : 'unknown query',
    path: [],
    extensions: { error_code: known ? 404 : 400, severity: 'CRITICAL' },
  };
}

function variablesOf(body: Uint8Array | undefined): Json {
  try {
    return objectIn(objectIn(JSON.parse(Buffer.from(body ?? []).toString('utf8'))).variables);
  } catch {
    return {};
  }
}

function objectIn(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export const mexHandlers: ReadonlyArray<readonly [string, IqHandler]> = [['w:mex', mex]];

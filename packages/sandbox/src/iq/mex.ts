import { QueryIds, XWAPaths } from 'baileys';
import { metadata, type Newsletter } from '../newsletters/newsletters.ts';
import { bytesOf, childNamed, stanza } from '../wire/stanza.ts';
import { BAD_REQUEST, type IqHandler, type IqRequest } from './answer.ts';

type Operation = (request: IqRequest, newsletter: Newsletter) => void;

/** What a follower can do, by the number of the stored query (Baileys Types/Mex.js QueryIds). */
const OPERATIONS: ReadonlyMap<string, readonly [path: string, run: Operation]> = new Map<
  string,
  readonly [string, Operation]
>([
  [
    QueryIds.FOLLOW,
    [
      XWAPaths.xwa2_newsletter_join_v2,
      ({ network, sender }, newsletter) => network.newsletters.follow(newsletter, sender),
    ],
  ],
  [
    QueryIds.UNFOLLOW,
    [
      XWAPaths.xwa2_newsletter_leave_v2,
      ({ network, sender }, newsletter) => network.newsletters.unfollow(newsletter, sender),
    ],
  ],
  [
    QueryIds.MUTE,
    [
      XWAPaths.xwa2_newsletter_mute_v2,
      ({ network, sender }, newsletter) => network.newsletters.mute(newsletter, sender, true),
    ],
  ],
  [
    QueryIds.UNMUTE,
    [
      XWAPaths.xwa2_newsletter_unmute_v2,
      ({ network, sender }, newsletter) => network.newsletters.mute(newsletter, sender, false),
    ],
  ],
]);

/**
 * `w:mex`: GraphQL queries by number, as JSON. Those of a channel's follower and of the account's limits are known; others get the error
 * shape that clients parse (Baileys mex.js executeWMexQuery).
 */
const mex: IqHandler = (request) => {
  const query = childNamed(request.iq, 'query');
  const id = query?.attrs.query_id ?? '';
  if (id === QueryIds.REACHOUT_TIMELOCK) {
    const lock = request.network.reachOut.described(request.sender.account.user);
    return answer({ data: { [XWAPaths.xwa2_fetch_account_reachout_timelock]: lock } });
  }
  const operation = OPERATIONS.get(id);
  const newsletter = request.network.newsletters.get(newsletterId(bytesOf(query)));
  if (!query) return { error: BAD_REQUEST };
  if (!operation || !newsletter) return answer({ data: null, errors: [problem(operation !== undefined)] });
  const [path, run] = operation;
  run(request, newsletter);
  return answer({ data: { [path]: metadata(newsletter, request.sender.account) } });
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

function newsletterId(body: Uint8Array | undefined): string {
  try {
    const { variables } = JSON.parse(Buffer.from(body ?? []).toString('utf8')) as {
      variables?: { newsletter_id?: string };
    };
    return variables?.newsletter_id ?? '';
  } catch {
    return '';
  }
}

export const mexHandlers: ReadonlyArray<readonly [string, IqHandler]> = [['w:mex', mex]];

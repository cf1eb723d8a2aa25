import { QueryIds, XWAPaths } from 'baileys';
import { setAbout } from '../accounts/account-changes.ts';
import { bytesOf, childNamed, stanza } from '../wire/stanza.ts';
import { BAD_REQUEST, type IqHandler } from './answer.ts';
import { businessOperations } from './business-queries.ts';
import { isRefusal, type Json, type Operation, objectIn, textIn } from './mex-operation.ts';
import { newsletterAdminOperations } from './newsletter-admins.ts';
import { newsletterOperations } from './newsletter-queries.ts';

const reachOutLock: Operation = {
  path: XWAPaths.xwa2_fetch_account_reachout_timelock,
  run: ({ network, sender }) => network.reachOut.described(sender.account.user),
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
 * the same one: those of channels stand beside their operations, these are of
 * Baileys Types/Mex.js QueryIds and whatsmeow user.go.
 */
const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ...newsletterOperations,
  ...newsletterAdminOperations,
  ...businessOperations,
  [QueryIds.REACHOUT_TIMELOCK, reachOutLock],
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
  if (!operation) return failed({ code: 400, text: 'unknown query' });
  if (!result) return failed({ code: 404, text: 'not found' });
  if (isRefusal(result)) return failed(result.refused);
  return answer({ data: { [operation.path]: result } });
};

function answer(body: object) {
  return { content: [stanza('result', {}, Buffer.from(JSON.stringify(body), 'utf8'))] };
}

function failed({ code, text }: { readonly code: number; readonly text: string }) {
  const extensions = { error_code: code, severity: 'CRITICAL' };
  return answer({ data: null, errors: [{ message: text, path: [], extensions }] });
}

function variablesOf(body: Uint8Array | undefined): Json {
  try {
    return objectIn(objectIn(JSON.parse(Buffer.from(body ?? []).toString('utf8'))).variables);
  } catch {
    return {};
  }
}

export const mexHandlers: ReadonlyArray<readonly [string, IqHandler]> = [['w:mex', mex]];

import { RequestRefused } from '../../port/errors.ts';
import { type BinaryNode, getBinaryNodeChild, type Socket } from '../library.ts';

/** The server's own name in stanzas. */
const SERVER = '@s.whatsapp.net';
/** What a GraphQL error without a code is taken for. */
const UNKNOWN_CODE = 400;

interface MexAnswer {
  data?: Record<string, unknown> | null;
  errors?: { message?: unknown; extensions?: { error_code?: unknown } }[];
}

/**
 * Runs a GraphQL query that is stored at the server by its number, and gives the member `path` of its data
 * (whatsmeow newsletter.go sendMexIQ). Throws RequestRefused. The library's own (mex.js) is not within reach for
 * numbers that it does not know.
 */
export async function mexQuery(
  socket: Socket,
  { queryId, variables, path }: { queryId: string; variables: object; path: string },
): Promise<unknown> {
  const answer = await socket.query({
    tag: 'iq',
    attrs: { id: socket.generateMessageTag(), type: 'get', to: SERVER, xmlns: 'w:mex' },
    content: [
      {
        tag: 'query',
        attrs: { query_id: queryId },
        content: Buffer.from(JSON.stringify({ variables }), 'utf8'),
      },
    ],
  });
  const { data, errors } = parsed(answer);
  const [error] = errors ?? [];
  if (error) {
    const code = Number(error.extensions?.error_code ?? UNKNOWN_CODE);
    throw new RequestRefused(code, typeof error.message === 'string' ? error.message : 'refused');
  }
  return data?.[path] ?? null;
}

function parsed(answer: BinaryNode): MexAnswer {
  const content = getBinaryNodeChild(answer, 'result')?.content;
  try {
    const body: unknown = JSON.parse(Buffer.from((content ?? '') as Uint8Array).toString('utf8'));
    return typeof body === 'object' && body !== null ? (body as MexAnswer) : {};
  } catch {
    return {};
  }
}

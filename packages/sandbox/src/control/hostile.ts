import type { BinaryNode } from 'baileys';
import type { Phone } from '../phones/phone.ts';
import type { Sandbox } from '../sandbox.ts';
import { bytes, number, optionalFlag, optionalNumber, optionalText, present, text, texts } from './fields.ts';
import { ControlError, type JsonObject, type Router } from './router.ts';

/** What `GET /` says of these routes. */
export const HOSTILE_OPERATIONS = [
  'POST /hostile/stanza {device, stanza: {tag, attrs?, content?: [stanza]|base64}}',
  'POST /phones/{number}/hostile/push-name {name}',
  'POST /phones/{number}/hostile/plaintext {to, base64, id?, padded?, attrs?}',
  'POST /phones/{number}/hostile/receipt {to, ids, type?, attrs?, keys?, count?}',
  'POST /phones/{number}/hostile/app-state {collection, base64}',
  'POST /phones/{number}/hostile/history {device, base64, inline?}',
] as const;

/** What a phone with altered software can do, and what no server would pass on. */
export function addHostile(
  router: Router,
  sandbox: Sandbox,
  phoneOf: (given: string | undefined) => Phone,
): void {
  const at = (params: Readonly<Record<string, string>>) => phoneOf(params.number).hostile;
  router
    .on('POST', '/hostile/stanza', ({ body }) => sandbox.inject(text(body, 'device'), stanzaOf(body.stanza)))
    .on('POST', '/phones/{number}/hostile/push-name', ({ params, body }) =>
      at(params).setPushName(text(body, 'name')),
    )
    .on('POST', '/phones/{number}/hostile/plaintext', async ({ params, body }) => {
      const options = present<{ id: string; padded: boolean }>({
        id: optionalText(body, 'id'),
        padded: optionalFlag(body, 'padded'),
      });
      const attrs = attributes(body.attrs);
      return {
        id: await at(params).sendPlaintext(text(body, 'to'), bytes(body, 'base64'), { ...options, attrs }),
      };
    })
    .on('POST', '/phones/{number}/hostile/receipt', ({ params, body }) =>
      at(params).forgeReceipt(text(body, 'to'), {
        ids: texts(body, 'ids'),
        attrs: attributes(body.attrs),
        ...present<{ type: string; keys: boolean; count: number }>({
          type: optionalText(body, 'type'),
          keys: optionalFlag(body, 'keys'),
          count: optionalNumber(body, 'count'),
        }),
      }),
    )
    .on('POST', '/phones/{number}/hostile/app-state', ({ params, body }) =>
      at(params).appStatePatch(text(body, 'collection'), bytes(body, 'base64')),
    )
    .on('POST', '/phones/{number}/hostile/history', ({ params, body }) =>
      at(params).history(number(body, 'device'), {
        bytes: bytes(body, 'base64'),
        inline: optionalFlag(body, 'inline') ?? true,
      }),
    );
}

/** A stanza as JSON: content is a list of stanzas or bytes in base64. */
function stanzaOf(value: unknown): BinaryNode {
  if (!isObject(value) || typeof value.tag !== 'string')
    throw new ControlError(400, 'stanza: a tag is needed');
  const { tag, content } = value;
  const node = { tag, attrs: attributes(value.attrs) };
  if (content === undefined) return node;
  if (typeof content === 'string') return { ...node, content: Buffer.from(content, 'base64') };
  if (Array.isArray(content)) return { ...node, content: content.map(stanzaOf) };
  throw new ControlError(400, 'content: a list of stanzas or base64 is needed');
}

function attributes(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isObject(value)) throw new ControlError(400, 'attrs: an object of texts is needed');
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => {
      if (typeof each !== 'string') throw new ControlError(400, `${name}: a text is needed`);
      return [name, each];
    }),
  );
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

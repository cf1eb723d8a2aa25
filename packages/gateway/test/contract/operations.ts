import type { Json } from '../end-to-end/harness.ts';

/** One operation of the OpenAPI document. */
export interface Operation {
  id: string;
  method: string;
  /** With `{name}` where a parameter goes. */
  path: string;
  tag: string;
  /** Whose token it asks for. */
  access: 'user' | 'master' | 'public';
  /** The master token does as well. */
  orMaster: boolean;
  pathParameters: string[];
  query: Parameter[];
  headers: Parameter[];
  /** Schema of the JSON body; null when it takes none. */
  body: Json | null;
  /** The documented examples of that body. */
  examples: Record<string, Json>[];
  /** Documented answers by status. */
  responses: Record<string, Json>;
}

export interface Parameter {
  name: string;
  required: boolean;
  schema: Json;
}

export async function readDocument(base: string): Promise<Json> {
  return (await fetch(`${base}/openapi.json`)).json();
}

/** Every operation of the document, in its order. */
export function operationsOf(document: Json): Operation[] {
  return Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, described]) => {
      const parameters = (place: string): Parameter[] =>
        (described.parameters ?? [])
          .filter((each: Json) => each.in === place)
          .map(({ name, required = false, schema }: Json) => ({
            name,
            required,
            schema: inPlace(document, schema),
          }));
      const schemes: string[] = described.security.flatMap((each: Json) => Object.keys(each));
      const [scheme] = schemes;
      return {
        id: described.operationId,
        method: method.toUpperCase(),
        path,
        tag: described.tags[0],
        access: scheme === undefined ? 'public' : scheme === 'masterToken' ? 'master' : 'user',
        orMaster: scheme !== 'masterToken' && schemes.includes('masterToken'),
        pathParameters: parameters('path').map(({ name }) => name),
        query: parameters('query'),
        headers: parameters('header'),
        body: inPlace(document, described.requestBody?.content['application/json'].schema ?? null),
        examples: examplesOf(described.requestBody?.content['application/json']),
        responses: described.responses,
      };
    }),
  );
}

/** The schema with those that it refers to in their places. */
function inPlace(document: Json, schema: Json): Json {
  if (Array.isArray(schema)) return schema.map((each) => inPlace(document, each));
  if (typeof schema !== 'object' || schema === null) return schema;
  if (typeof schema.$ref === 'string') {
    return inPlace(document, document.components.schemas[schema.$ref.split('/').at(-1)]);
  }
  const members = Object.entries<Json>({ ...schema, ...oneType(schema) }).map(([name, each]) => [
    name,
    inPlace(document, each),
  ]);
  return Object.fromEntries(members);
}

/** `[type, null]` as two branches, as the other unions are. */
function oneType({ type }: Json): Json {
  return Array.isArray(type) && type[1] === 'null' ? { type: type[0] } : {};
}

function examplesOf(content: Json): Record<string, Json>[] {
  if (content?.example !== undefined) return [content.example];
  return Object.values<Json>(content?.examples ?? {}).map(({ value }) => value);
}

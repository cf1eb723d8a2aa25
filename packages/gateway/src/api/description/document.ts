/** The parts of an OpenAPI document, and of the JSON Schemas in it, that are read and changed here. */

export interface Schema {
  title?: string;
  description?: string;
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  [keyword: string]: unknown;
}

export interface Content {
  schema?: Schema;
  example?: unknown;
  examples?: Record<string, unknown>;
}

export interface Answer {
  description: string;
  headers?: Record<string, unknown>;
  content?: Record<string, Content>;
}

export interface Operation {
  operationId: string;
  security?: unknown[];
  parameters?: { in: string; name: string; required?: boolean; schema?: Schema }[];
  requestBody?: { required?: boolean; content: Record<string, Content> };
  responses: Record<string, Answer>;
  [extension: `x-${string}`]: unknown;
}

type Paths = Record<string, Record<string, Operation>>;

export interface Document {
  paths: Paths;
  webhooks: Paths;
  components: {
    schemas: Record<string, Schema>;
    headers?: Record<string, unknown>;
    examples?: Record<string, unknown>;
  };
}

/** Every operation under the paths, or what is sent to webhooks. */
export function operationsIn(paths: Paths): Operation[] {
  return Object.values(paths).flatMap((methods) => Object.values(methods));
}

/** The schema with `change` applied to every schema inside it, the innermost first, and then to itself. */
export function rewritten(schema: Schema, change: (schema: Schema) => Schema): Schema {
  const inside = (each: Schema): Schema => rewritten(each, change);
  const copy: Schema = { ...schema };
  if (copy.properties) copy.properties = each(copy.properties, inside);
  if (copy.patternProperties) copy.patternProperties = each(copy.patternProperties, inside);
  if (typeof copy.additionalProperties === 'object') {
    copy.additionalProperties = inside(copy.additionalProperties);
  }
  if (copy.items) copy.items = inside(copy.items);
  for (const union of ['anyOf', 'oneOf', 'allOf'] as const) {
    const branches = copy[union];
    if (branches) copy[union] = branches.map(inside);
  }
  return change(copy);
}

function each<T>(members: Record<string, T>, change: (member: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, change(member)]));
}

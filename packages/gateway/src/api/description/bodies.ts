/** What a request may carry, as the document tells it: bodies that may be missing, and files as multipart. */
import { MOST_FIELDS } from '../request/multipart.ts';
import { type Operation, rewritten, type Schema } from './document.ts';
import { takingNull } from './nulls.ts';
import { REFUSED_FURTHER, withStated } from './stated.ts';

/** In a route's schema: the member of the body that the files of a multipart request stand for. */
export const FILE_MEMBER = 'x-file-member';

const FILE: Schema = { type: 'string', format: 'binary', description: 'The file' };

/** Completes the body of the operation, whose schema still has all its members in place. */
export function completeBody(operation: Operation): void {
  const { requestBody } = operation;
  const json = requestBody?.content['application/json'];
  if (!requestBody || !json?.schema) return;
  // The generator calls every body required; without a member that must be there, none at all is the same as `{}`.
  json.schema = withStated(json.schema);
  requestBody.required = refusesNothing(json.schema);
  if (json.example === undefined && json.examples === undefined) json.example = exampleOf(json.schema);
  const member = operation[FILE_MEMBER];
  delete operation[FILE_MEMBER];
  if (typeof member === 'string') {
    requestBody.content['multipart/form-data'] = { schema: form(json.schema, member) };
  }
  json.schema = rewritten(json.schema, takingNull);
}

/** Whether a body without any member is refused. */
function refusesNothing({ required = [], allOf = [] }: Schema): boolean {
  const eachNeedsOne = ({ anyOf, oneOf }: Schema): boolean => {
    const branches = anyOf ?? oneOf ?? [];
    return branches.length > 0 && branches.every((branch) => (branch.required ?? []).length > 0);
  };
  return required.length > 0 || allOf.some(eachNeedsOne);
}

/** The smallest body there is, of the examples of its members; undefined where one has none. */
function exampleOf({ properties = {}, required = [] }: Schema): object | undefined {
  const members = required.map((name) => [name, firstOf(properties[name] ?? {})] as const);
  return members.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(members);
}

function firstOf({ examples, enum: words }: Schema): unknown {
  const [first] = (examples ?? words ?? []) as unknown[];
  return first;
}

/** The body with a file, or several, in the place of the member that is base64 or a list in JSON. */
function form(body: Schema, member: string): Schema {
  const { properties = {} } = body;
  const { type, maxItems } = properties[member] ?? {};
  const file: Schema = type === 'array' ? { type: 'array', items: FILE, maxItems, minItems: 1 } : FILE;
  // A part of a form is text and cannot be null; what is inside of it is JSON.
  const parts = Object.entries(properties).map(([name, each]) => [name, rewritten(each, takingNull)]);
  const further = [`more than ${MOST_FIELDS} parts beside the files`, body[REFUSED_FURTHER]];
  return {
    ...body,
    properties: { ...Object.fromEntries(parts), [member]: file },
    [REFUSED_FURTHER]: further.filter((each) => each !== undefined).join('; '),
  };
}

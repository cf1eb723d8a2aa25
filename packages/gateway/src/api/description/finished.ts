/**
 * The last step to `/openapi.json`. The routes say what they take and answer, each on its own; what makes one document
 * of it that other people's generators can read is done here, for all of them in the same way.
 */
import { completeAnswers } from './answers.ts';
import { completeBody } from './bodies.ts';
import { type Document, type Operation, operationsIn, rewritten, type Schema } from './document.ts';
import { NamedSchemas } from './named-schemas.ts';
import { takingNothing } from './nulls.ts';
import { withStated } from './stated.ts';

/** A copy of the generated document, finished. Throws for two different schemas of one name. */
export function finished(generated: object): Document {
  // The schemas in it are those that requests are checked by.
  const document: Document = JSON.parse(JSON.stringify(generated));
  const named = new NamedSchemas(document.components.schemas);
  completeAnswers(document);
  for (const operation of operationsIn(document.paths)) {
    completeBody(operation);
    nameSchemas(operation, named);
  }
  for (const operation of operationsIn(document.webhooks)) {
    for (const content of Object.values(operation.requestBody?.content ?? {})) {
      if (content.schema) content.schema = rewritten(content.schema, asOfRoutes);
    }
    nameSchemas(operation, named);
  }
  return document;
}

/** The generator writes maps and constants of routes so; what is sent to webhooks does not go through it. */
function asOfRoutes({ patternProperties, const: only, ...schema }: Schema): Schema {
  const [values] = Object.values(patternProperties ?? {});
  return {
    ...schema,
    ...(values && { additionalProperties: values }),
    ...(only !== undefined && { enum: [only] }),
  };
}

function nameSchemas(operation: Operation, named: NamedSchemas): void {
  const { operationId, parameters = [], requestBody, responses } = operation;
  const name = operationId.charAt(0).toUpperCase() + operationId.slice(1);
  for (const parameter of parameters) {
    if (!parameter.schema) continue;
    const schema = withStated(parameter.schema);
    // Of headers, an operation says for itself what an empty one is.
    const asWritten = parameter.required === true || parameter.in === 'header';
    parameter.schema = named.referring(asWritten ? schema : takingNothing(schema));
  }
  for (const [type, content] of Object.entries(requestBody?.content ?? {})) {
    const suffix = type === 'multipart/form-data' ? 'Form' : 'Request';
    if (!content.schema) continue;
    content.schema = named.referringAs(`${name}${suffix}`, content.schema);
  }
  for (const { content = {} } of Object.values(responses)) {
    for (const each of Object.values(content)) {
      if (each.schema) each.schema = named.referringAs(`${name}Answer`, each.schema);
    }
  }
}

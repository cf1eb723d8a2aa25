/** Every text and list that a request may carry has a bound, and the document says which. */
import type { TSchema } from 'typebox';
import { Type } from 'typebox';
import { MOST_INLINE_CHARACTERS } from '../../media/outgoing/base64.ts';
import { plainName } from '../../nearest-name.ts';
import { refusing } from '../description/stated.ts';

/** Characters of a text whose schema says nothing narrower. Operations refuse most of them far earlier. */
export const LONGEST_TEXT = 64 * 1024;

/** The parts of a JSON Schema that are read here. */
interface Shape {
  type?: string;
  enum?: unknown[];
  const?: unknown;
  maxLength?: number;
  maxItems?: number;
  maxProperties?: number;
  contentEncoding?: string;
  properties?: Record<string, Shape>;
  patternProperties?: Record<string, Shape>;
  items?: Shape;
  anyOf?: Shape[];
}

/** A file as base64, with or without a `data:` prefix. The operations that take one accept larger bodies. */
export function base64Text(description: string) {
  return Type.Optional(
    refusing(
      'what is no base64, or no file of the kinds that are taken',
      Type.String({ contentEncoding: 'base64', maxLength: MOST_INLINE_CHARACTERS, description }),
    ),
  );
}

/** Where a file is fetched from. */
export function fileAddress(description: string) {
  return Type.Optional(
    refusing(
      'what is no http or https address, is not public, or leads to no file of the kinds that are taken',
      Type.String({ description }),
    ),
  );
}

/**
 * The schema with a bound on every text. Throws for a list or map without one: how many there may be is for
 * the operation to say, and forgetting it must not wait for somebody who sends three million.
 */
export function bounded(schema: TSchema, place: string): TSchema {
  return within(schema as Shape, place) as TSchema;
}

function within(shape: Shape, place: string): Shape {
  if (shape.anyOf) return { ...shape, anyOf: shape.anyOf.map((each) => within(each, place)) };
  switch (shape.type) {
    case 'string':
      return shape.enum ? shape : { maxLength: LONGEST_TEXT, ...shape };
    case 'array':
      if (shape.maxItems === undefined) throw new Error(`${place}: a list needs maxItems`);
      return shape.items ? { ...shape, items: within(shape.items, `${place}[]`) } : shape;
    case 'object':
      return withinObject(shape, place);
    default:
      return shape;
  }
}

function withinObject(shape: Shape, place: string): Shape {
  const { properties, patternProperties } = shape;
  if (patternProperties && shape.maxProperties === undefined) {
    throw new Error(`${place}: a map needs maxProperties`);
  }
  return {
    ...shape,
    ...(properties && { properties: withinEach(properties, place) }),
    ...(patternProperties && { patternProperties: withinEach(patternProperties, place) }),
  };
}

function withinEach(members: Record<string, Shape>, place: string): Record<string, Shape> {
  return Object.fromEntries(
    Object.entries(members).map(([name, each]) => [name, within(each, `${place}.${name}`)]),
  );
}

/** Names of the members that take a file as base64, at any depth, as `plainName` has them. */
export function base64Members(schema: TSchema): string[] {
  return namesOfFiles(schema as Shape).map(plainName);
}

function namesOfFiles({ properties = {}, anyOf = [], items }: Shape): string[] {
  return [
    ...Object.entries(properties).flatMap(([name, each]) =>
      each.contentEncoding === 'base64' ? [name] : namesOfFiles(each),
    ),
    ...anyOf.flatMap(namesOfFiles),
    ...(items ? namesOfFiles(items) : []),
  ];
}

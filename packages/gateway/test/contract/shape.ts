/** The shape of a documented answer, and how an answer differs from it. */
export type Shape = string | readonly [Shape] | { readonly [member: string]: Shape };

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Where a value is not as documented. */
export function differences(shape: Shape, value: unknown, place = 'answer'): string[] {
  if (typeof shape === 'string')
    return isOf(shape, value) ? [] : [`${place} is ${show(value)}, not ${shape}`];
  if (Array.isArray(shape)) {
    const [each] = shape as readonly [Shape];
    if (!Array.isArray(value)) return [`${place} is ${show(value)}, not a list`];
    return value.flatMap((item, index) => differences(each, item, `${place}.${index}`));
  }
  if (typeof value !== 'object' || value === null) return [`${place} is ${show(value)}, not an object`];
  const given = value as Record<string, unknown>;
  return Object.entries(shape).flatMap(([member, of]) => {
    const optional = member.endsWith('?');
    const name = optional ? member.slice(0, -1) : member;
    if (optional && (given[name] ?? null) === null) return [];
    return differences(of, given[name], `${place}.${name}`);
  });
}

function isOf(type: string, value: unknown): boolean {
  if (type.startsWith('=')) return value === type.slice(1);
  if (type === 'true') return value === true;
  if (type === 'time') return typeof value === 'string' && TIME.test(value);
  return typeof value === type;
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 80);
}

/** Members of a request's body by their place in it: `image`, `media.3.base64`. */

type Body = Record<string, unknown>;

/** What stands there; undefined where nothing does. */
export function valueAt(body: Body, place: string): unknown {
  return place.split('.').reduce<unknown>((node, step) => (node as Body | undefined)?.[step], body);
}

/** A copy of the body with `value` there, or with nothing. */
export function withValue(body: Body, place: string, value: string | undefined): Body {
  return replaced(body, place.split('.'), value) as Body;
}

function replaced(node: unknown, [step, ...further]: string[], value: string | undefined): unknown {
  if (step === undefined) return value;
  if (Array.isArray(node)) {
    return node.map((each, at) => (String(at) === step ? replaced(each, further, value) : each));
  }
  const { [step]: member, ...others } = node as Body;
  const now = replaced(member, further, value);
  return now === undefined ? others : { ...others, [step]: now };
}

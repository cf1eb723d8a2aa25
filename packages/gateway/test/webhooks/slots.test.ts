import { describe, expect, test } from 'vitest';
import { Slots } from '../../src/webhooks/slots.ts';

const lane = (endpointId: string, orderKey: string) => ({ tenantId: 'tenant', endpointId, orderKey });

/** How many lanes of an endpoint are taken when there is no end of them. */
function takeAll(slots: Slots, endpointId: string, now = 0): number {
  let taken = 0;
  while (slots.take(lane(endpointId, `chat ${taken}`), now)) taken += 1;
  return taken;
}

describe('slots', () => {
  test('a lane once at a time', () => {
    const slots = new Slots(10);
    expect(slots.take(lane('a', '1'), 0)).toBe(true);
    expect(slots.take(lane('a', '1'), 0)).toBe(false);
    expect(slots.take(lane('b', '1'), 0)).toBe(true);
    expect([slots.taken, slots.free]).toEqual([2, 8]);
    slots.give(lane('a', '1'));
    slots.give(lane('a', '1'));
    expect([slots.taken, slots.free]).toEqual([1, 9]);
    expect(slots.take(lane('a', '1'), 0)).toBe(true);
  });

  test('no more than there are', () => {
    const slots = new Slots(9);
    expect(takeAll(slots, 'a')).toBe(8);
    expect(takeAll(slots, 'b')).toBe(1);
    expect(slots.free).toBe(0);
  });

  test('eight of an endpoint, and again one when one is given back', () => {
    const slots = new Slots(100);
    expect(takeAll(slots, 'a')).toBe(8);
    expect(slots.closed(0)).toEqual(['a']);
    slots.give(lane('a', 'chat 0'));
    slots.give(lane('a', 'chat 1'));
    expect(slots.closed(0)).toEqual([]);
    expect(slots.take(lane('a', 'chat 0'), 0)).toBe(true);
    expect(slots.take(lane('a', 'chat 1'), 0)).toBe(true);
    expect(slots.take(lane('a', 'chat 9'), 0)).toBe(false);
  });

  test('two of an endpoint that fails, until it works', () => {
    const slots = new Slots(100);
    slots.learn('a', true);
    expect(takeAll(slots, 'a')).toBe(2);
    expect(slots.closed(0)).toEqual(['a']);
    slots.learn('a', false);
    expect(slots.closed(0)).toEqual([]);
    expect(slots.take(lane('a', 'chat 7'), 0)).toBe(true);
  });

  test.each([
    { capacity: 1, failing: 1 },
    { capacity: 5, failing: 2 },
    { capacity: 6, failing: 3 },
  ])('$failing of $capacity for all that fail together', ({ capacity, failing }) => {
    const slots = new Slots(capacity);
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) slots.learn(name, true);
    expect(names.filter((name) => slots.take(lane(name, 'chat'), 0))).toEqual(names.slice(0, failing));
    if (capacity > failing) expect(slots.closed(0).sort()).toEqual(names);
    expect(takeAll(slots, 'works')).toBe(capacity - failing);
  });

  test('nothing of an endpoint before the time that it asked for', () => {
    const slots = new Slots(10);
    slots.hold('a', 100);
    slots.hold('a', 50);
    slots.hold('b', 200);
    expect(slots.nextOpening(0)).toBe(100);
    expect(slots.closed(99)).toEqual(['a', 'b']);
    expect(slots.take(lane('a', '1'), 99)).toBe(false);
    expect(slots.nextOpening(100)).toBe(200);
    expect(slots.take(lane('a', '1'), 100)).toBe(true);
    expect(slots.closed(100)).toEqual(['b']);
    expect(slots.nextOpening(200)).toBeNull();
  });

  test('two lanes that become one: the turns of both end, and the one waits for the other', () => {
    const slots = new Slots(10);
    const [from, into, other] = [lane('a', 'number'), lane('a', 'lid'), lane('a', 'other')];
    for (const each of [from, into, other]) expect(slots.take(each, 0)).toBe(true);
    slots.join(from, into);
    expect([from, into, other].map((each) => slots.overtaken(each))).toEqual([true, true, false]);
    expect([from, into].map((each) => slots.joinedInto(each))).toEqual([into, null]);
    slots.give(into);
    slots.give(other);
    expect([into, other].map((each) => slots.take(each, 0))).toEqual([false, true]);
    slots.give(from);
    expect(slots.joinedInto(from)).toBeNull();
    expect(slots.take(into, 0)).toBe(true);
    expect(slots.overtaken(into)).toBe(false);
  });

  test('two lanes of which none is under way need not wait', () => {
    const slots = new Slots(10);
    const [from, into] = [lane('a', 'number'), lane('a', 'lid')];
    slots.join(from, into);
    expect([into, from].map((each) => slots.take(each, 0))).toEqual([true, true]);
    expect([into, from].map((each) => slots.overtaken(each))).toEqual([false, false]);
  });

  test('what was learned of an endpoint is forgotten when it is configured anew', () => {
    const slots = new Slots(10);
    for (const name of ['a', 'b']) {
      expect(slots.take(lane(name, '1'), 0)).toBe(true);
      slots.learn(name, true);
      slots.hold(name, 100);
    }
    slots.forget('a');
    expect(slots.overtaken(lane('a', '1'))).toBe(true);
    expect(slots.overtaken(lane('b', '1'))).toBe(false);
    expect(slots.overtaken(lane('c', '1'))).toBe(false);
    expect(slots.closed(0)).toEqual(['b']);
    expect(takeAll(slots, 'a')).toBe(7);
  });
});

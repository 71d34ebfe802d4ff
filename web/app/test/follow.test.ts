// Who follows the end of a list, as a script: what the person did, and what the layout did meanwhile.

import { beforeEach, expect, test } from 'vitest';
import { END_PX, Follow, type Spot } from '../src/model/follow';

let follow: Follow;
const at = (top: number, total = 1000, window = 600): Spot => ({ top, total, window });

beforeEach(() => {
  follow = new Follow();
  follow.put(at(400));
});

test('rows that turn out smaller than was guessed move the list, and nobody left its end', () => {
  follow.put(at(512, 1112));
  follow.seen(at(508, 1108));
  expect(follow.on).toBe(true);
});

test('what the browser moved is nobody\'s, also when more came before it was heard of', () => {
  follow.put(at(512, 1112));
  follow.seen(at(508, 1400));
  expect(follow.on).toBe(true);
});

test('a window that becomes lower or higher changes nothing', () => {
  follow.seen(at(400, 1000, 300));
  expect(follow.on).toBe(true);
  follow.put(at(700, 1000, 300));
  follow.seen(at(400, 1000, 600));
  expect(follow.on).toBe(true);
});

test('a move in a layout that stayed the same is somebody\'s: a search of the browser, a screen reader', () => {
  follow.seen(at(200));
  expect(follow.on).toBe(false);
});

test('what was put there by ourselves is not', () => {
  follow.put(at(200));
  follow.seen(at(200.4));
  expect(follow.on).toBe(true);
});

test('who goes up is not held at the end, from the first pixel, and stays where they rest', () => {
  follow.up();
  follow.seen(at(390));
  expect(follow.on).toBe(false);
  follow.seen(at(400 - END_PX - 10));
  follow.rest(at(400 - END_PX - 10));
  expect(follow.on).toBe(false);
  follow.seen(at(400 - END_PX - 10, 1200));
  expect(follow.on).toBe(false);
});

test('who turned the wheel and moved hardly still follows', () => {
  follow.up();
  expect(follow.on).toBe(false);
  expect(follow.rest(at(400 - END_PX + 10))).toBe(false);
  expect(follow.on).toBe(true);
});

test('who laid a finger on it and moved nothing follows on, however much came meanwhile', () => {
  follow.up();
  follow.seen(at(400, 3000));
  expect(follow.rest(at(400, 3000))).toBe(true);
  expect(follow.on).toBe(true);
});

test('who went up and found history put above them did not stay', () => {
  follow.up();
  follow.seen(at(100));
  follow.put(at(2100, 3000));
  expect(follow.rest(at(2100, 3000))).toBe(false);
  expect(follow.on).toBe(false);
});

test('who went up and turns back is not taken to the end', () => {
  follow.up();
  follow.seen(at(200));
  follow.down();
  expect(follow.on).toBe(false);
});

test('who comes back to the end follows again', () => {
  follow.up();
  follow.rest(at(0));
  follow.down();
  follow.seen(at(200));
  expect(follow.on).toBe(false);
  follow.seen(at(400));
  expect(follow.on).toBe(true);
});

test('a button goes to the end also from the middle of a move; a jump to a message ends following', () => {
  follow.up();
  follow.toEnd();
  expect(follow.on).toBe(true);
  follow.toPlace();
  expect(follow.on).toBe(false);
  follow.rest(at(100));
  expect(follow.on).toBe(false);
});

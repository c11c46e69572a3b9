import { JsonTooComplex } from '../errors.ts';
import { invalidInput } from './invalid-input.ts';
import { toPointerToken } from './validation.ts';

/** Far beyond what any route takes, and few enough for its validation to be a matter of milliseconds. */
const MAX_DEPTH = 32;
const MAX_ITEMS = 1_000;
const MAX_VALUES = 10_000;

interface Walk {
  withText: boolean;
  values: number;
  members: number;
}

/**
 * Walks a parsed JSON value once, and returns the number of its members, those of the objects in it included.
 * `withText` has the strings looked at as well.
 *
 * @throws {JsonTooComplex} when it is nested too deep, or has too many values
 * @throws `ValidationFailed` for a string or name with a null byte or half of a surrogate pair: PostgreSQL cannot
 *   store the one, and UTF-8 cannot write the other
 */
export function inspect(value: unknown, { withText }: { withText: boolean }): number {
  const walk: Walk = { withText, values: 0, members: 0 };
  visit(walk, value, null, 0);
  return walk.members;
}

/** Where a value is, by what holds it: only an error makes a pointer of it. */
interface Place {
  parent: Place | null;
  name: string | number;
}

function visit(walk: Walk, value: unknown, place: Place | null, depth: number): void {
  walk.values += 1;
  if (walk.values > MAX_VALUES) {
    throw new JsonTooComplex(`The body has more than ${MAX_VALUES} values`);
  }
  if (typeof value === 'string') {
    if (walk.withText) assertText(value, place);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth === MAX_DEPTH) {
    throw new JsonTooComplex(`The body is nested deeper than ${MAX_DEPTH} levels`);
  }
  if (Array.isArray(value)) visitItems(walk, value, place, depth);
  else visitMembers(walk, value, place, depth);
}

function visitItems(walk: Walk, items: unknown[], place: Place | null, depth: number): void {
  if (items.length > MAX_ITEMS) {
    throw new JsonTooComplex(`The body has an array of more than ${MAX_ITEMS} items`);
  }
  for (const [index, item] of items.entries()) {
    visit(walk, item, { parent: place, name: index }, depth + 1);
  }
}

function visitMembers(walk: Walk, members: object, place: Place | null, depth: number): void {
  for (const [name, value] of Object.entries(members)) {
    walk.members += 1;
    if (walk.withText) assertText(name, place);
    // Most values are plain: a place is made for those that something can be wrong in.
    const isPlain = typeof value !== 'object' && !walk.withText;
    visit(walk, value, isPlain ? null : { parent: place, name }, depth + 1);
  }
}

function assertText(text: string, place: Place | null): void {
  if (text.includes('\0')) {
    throw invalidInput(pointer(place), 'null_byte', 'must not have null bytes');
  }
  if (!text.isWellFormed()) {
    throw invalidInput(pointer(place), 'lone_surrogate', 'must be well-formed Unicode');
  }
}

/** RFC 6901. A name that is bad itself is told of at the object that has it. */
function pointer(place: Place | null): string {
  return place === null ? '' : `${pointer(place.parent)}/${toPointerToken(place.name)}`;
}

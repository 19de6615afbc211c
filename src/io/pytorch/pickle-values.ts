/** What a pickle that runs nothing is made of, and what it may refer to. */

/** Anything that is not plain data: globals, and what the caller's globals make. */
export abstract class PickleObject {}

/** A name on the caller's allow-list. `call` stands for Python's call; it gets checked by its author. */
export class PickleGlobal extends PickleObject {
  constructor(
    readonly name: string,
    readonly call: (args: PickleValue[]) => PickleValue,
  ) {
    super();
  }
}

/**
 * An object whose class nobody here knows, or what an unknown function would have returned: inert, with the parts that
 * stand in the file, so that weights inside it are seen.
 */
export class Placeholder extends PickleObject {
  /** what BUILD would have set as its attributes */
  state: PickleValue = null;
  /** what SETITEMS put into it, where its class is a kind of dict */
  items?: Map<PickleValue, PickleValue>;

  constructor(
    /** of the class or function, with its module */
    readonly name: string,
    readonly args: PickleValue[],
  ) {
    super();
  }
}

/** Tuples, lists and sets are arrays, dicts are Maps, whole numbers beyond 2^53 are bigint. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleObject;

/** What the pickle may refer to. */
export interface PickleHost {
  global(module: string, name: string): PickleGlobal;
  persistent(id: PickleValue): PickleValue;
}

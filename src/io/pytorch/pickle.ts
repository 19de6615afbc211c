/**
 * A pickle reader that runs nothing. It builds plain values; a global is looked up in the caller's allow-list, and
 * what may be called is what that list holds. Opcodes: docs.python.org/3/library/pickletools.html.
 */

import { FormatError } from '../format-error';
import { ByteReader } from './byte-reader';
import { integerOf, longOf, unescaped } from './pickle-literals';
import { PickleGlobal, type PickleHost, PickleObject, type PickleValue, Placeholder } from './pickle-values';

/** An empty dict costs one byte in the file and some 200 in memory, so the steps are limited, not only the bytes. */
const MAX_OPCODES = 1_000_000;
const MAX_LONG = 32;

/**
 * Reads the pickle that begins at `start` and returns its value and the offset after it. The value may contain
 * itself; walk it with a limit. Throws a FormatError, and whatever `host` throws.
 */
export function unpickle(
  bytes: Uint8Array,
  start: number,
  host: PickleHost,
): { value: PickleValue; end: number } {
  const machine = new Machine(bytes, start, host);
  for (let count = 0; count < MAX_OPCODES; count++) {
    if (machine.step()) return { value: machine.pop(), end: machine.at };
  }
  throw new FormatError(`its pickle has more than ${MAX_OPCODES} instructions`);
}

class Machine extends ByteReader {
  private stack: PickleValue[] = [];
  private readonly marks: PickleValue[][] = [];
  private readonly memo = new Map<number, PickleValue>();

  constructor(
    bytes: Uint8Array,
    start: number,
    private readonly host: PickleHost,
  ) {
    super(bytes, start);
  }

  /** Runs one instruction; true after STOP. */
  step(): boolean {
    const opcode = String.fromCharCode(this.u8());
    if (opcode === '.') return true;
    if (!this.atom(opcode) && !this.container(opcode) && !this.reference(opcode)) {
      const code = opcode.charCodeAt(0).toString(16).padStart(2, '0');
      throw new FormatError(
        `byte ${this.at - 1} is 0x${code}, not a pickle instruction that checkpoints use`,
      );
    }
    return false;
  }

  pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined) throw new FormatError('its pickle takes from an empty stack');
    return value;
  }

  /** Numbers, strings, and what has no value. */
  private atom(opcode: string): boolean {
    switch (opcode) {
      case '\x80':
        if (this.u8() > 5) throw new FormatError('its pickle protocol is newer than 5');
        return true;
      case '\x95': // FRAME
        this.take(8);
        return true;
      case 'N':
        return this.push(null);
      case '\x88':
        return this.push(true);
      case '\x89':
        return this.push(false);
      case 'K':
        return this.push(this.u8());
      case 'M':
        return this.push(this.view.getUint16(this.skip(2), true));
      case 'J':
        return this.push(this.view.getInt32(this.skip(4), true));
      case 'G':
        return this.push(this.view.getFloat64(this.skip(8), false));
      case '\x8a':
        return this.push(this.long(this.u8()));
      case '\x8b':
        return this.push(this.long(this.u32()));
      case 'I':
      case 'L':
        return this.push(integerOf(this.line()));
      case 'F':
        return this.push(Number(this.line()));
      default:
        return this.text(opcode);
    }
  }

  private text(opcode: string): boolean {
    switch (opcode) {
      case 'X':
      case 'T': // Python 2's str, likewise U
        return this.push(this.utf8(this.u32()));
      case '\x8c':
      case 'U':
        return this.push(this.utf8(this.u8()));
      case '\x8d':
        return this.push(this.utf8(this.u64()));
      case 'V':
        return this.push(unescaped(this.line('latin1')));
      case 'S':
        return this.push(this.line().replace(/^(['"])(.*)\1$/, '$2'));
      case 'B':
        return this.push(this.take(this.u32()));
      case 'C':
        return this.push(this.take(this.u8()));
      case '\x8e':
      case '\x96':
        return this.push(this.take(this.u64()));
      default:
        return false;
    }
  }

  private container(opcode: string): boolean {
    switch (opcode) {
      case '(':
        this.marks.push(this.stack);
        this.stack = [];
        return true;
      case ')':
      case ']':
      case '\x8f': // EMPTY_SET
        return this.push([]);
      case '}':
        return this.push(new Map());
      case 't':
      case 'l':
      case '\x91': // FROZENSET
        return this.push(this.popMark());
      case '\x85':
      case '\x86':
      case '\x87': {
        const items: PickleValue[] = [];
        for (let i = opcode.charCodeAt(0) - 0x84; i > 0; i--) items.unshift(this.pop());
        return this.push(items);
      }
      case 'd': {
        const items = this.popMark();
        this.push(new Map());
        return this.setItems(items);
      }
      case 'a':
        return this.append([this.pop()]);
      case 'e':
      case '\x90': // ADDITEMS
        return this.append(this.popMark());
      case 's': {
        const value = this.pop();
        return this.setItems([this.pop(), value]);
      }
      case 'u':
        return this.setItems(this.popMark());
      default:
        return false;
    }
  }

  /** Stack, memo, globals and calls. */
  private reference(opcode: string): boolean {
    switch (opcode) {
      case '0':
        this.pop();
        return true;
      case '1':
        this.popMark();
        return true;
      case '2':
        return this.push(this.top());
      case 'p':
        return this.remember(Number(this.line()));
      case 'q':
        return this.remember(this.u8());
      case 'r':
        return this.remember(this.u32());
      case '\x94':
        return this.remember(this.memo.size);
      case 'g':
        return this.recall(Number(this.line()));
      case 'h':
        return this.recall(this.u8());
      case 'j':
        return this.recall(this.u32());
      case 'Q':
        return this.push(this.host.persistent(this.pop()));
      default:
        return this.call(opcode);
    }
  }

  private call(opcode: string): boolean {
    switch (opcode) {
      case 'c': {
        const module = this.line();
        return this.push(this.host.global(module, this.line()));
      }
      case '\x93': {
        const name = this.pop();
        const module = this.pop();
        if (typeof name !== 'string' || typeof module !== 'string')
          throw new FormatError('it names no global');
        return this.push(this.host.global(module, name));
      }
      case 'R':
      case '\x81': {
        const args = this.pop();
        return this.apply(this.pop(), args);
      }
      case '\x92': {
        const keywords = this.pop();
        const args = this.pop();
        return this.apply(this.pop(), Array.isArray(args) ? [...args, keywords] : args);
      }
      case 'i': {
        const module = this.line();
        const callee = this.host.global(module, this.line());
        return this.apply(callee, this.popMark());
      }
      case 'o': {
        const [callee, ...args] = this.popMark();
        return this.apply(callee, args);
      }
      case 'b': {
        const state = this.pop();
        const object = this.top();
        if (object instanceof Placeholder) object.state = state; // nothing else here has attributes
        return true;
      }
      default:
        return false;
    }
  }

  private apply(callee: PickleValue | undefined, args: PickleValue): boolean {
    if (callee instanceof PickleGlobal && Array.isArray(args)) return this.push(callee.call(args));
    if (callee instanceof Placeholder && Array.isArray(args))
      return this.push(new Placeholder(callee.name, args));
    throw new FormatError('its pickle calls something that is no function');
  }

  private push(value: PickleValue): true {
    this.stack.push(value);
    return true;
  }

  private top(): PickleValue {
    const value = this.stack.at(-1);
    if (value === undefined) throw new FormatError('its pickle takes from an empty stack');
    return value;
  }

  private popMark(): PickleValue[] {
    const items = this.stack;
    const below = this.marks.pop();
    if (!below) throw new FormatError('its pickle lacks a mark');
    this.stack = below;
    return items;
  }

  private append(items: PickleValue[]): boolean {
    const list = this.top();
    if (Array.isArray(list)) for (const item of items) list.push(item);
    else if (!(list instanceof PickleObject))
      throw new FormatError('its pickle appends to something that is no list');
    return true;
  }

  private setItems(items: PickleValue[]): boolean {
    const dict = this.top();
    if (items.length % 2 !== 0) throw new FormatError('its pickle has a key without a value');
    if (dict instanceof Placeholder) dict.items ??= new Map();
    const map = dict instanceof Placeholder ? dict.items : dict;
    if (map instanceof Map) for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
    else if (!(map instanceof PickleObject))
      throw new FormatError('its pickle sets a key of something that is no dict');
    return true;
  }

  private remember(key: number): boolean {
    this.memo.set(key, this.top());
    return true;
  }

  private recall(key: number): boolean {
    const value = this.memo.get(key);
    if (value === undefined) throw new FormatError(`its pickle recalls entry ${key}, which was never stored`);
    return this.push(value);
  }

  private long(length: number): number | bigint {
    if (length > MAX_LONG) throw new FormatError(`its pickle has a number of ${length} bytes`);
    return longOf(this.take(length));
  }
}

import { FormatError, quote } from './format-error';

/** A value of strict JSON: objects are Maps, so that no key is special; digits alone are bigint, exact. */
export type Json = null | boolean | string | number | bigint | Json[] | Map<string, Json>;

const MAX_DEPTH = 16;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;

/**
 * Parses JSON as the safetensors crate does and JSON.parse does not: a key twice in an object, a lone surrogate
 * and nesting beyond 16 are errors. Throws a FormatError.
 */
export function parseStrictJson(text: string): Json {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.end();
  return value;
}

/** An object whose values are strings; `what` names it. Throws a FormatError. */
export function stringMap(json: Json, what: string): Map<string, string> {
  if (!(json instanceof Map)) throw new FormatError(`${what} is not an object`);
  for (const [key, value] of json) {
    if (typeof value !== 'string')
      throw new FormatError(`the value of ${quote(key)} in ${what} is not a string`);
  }
  return json as Map<string, string>;
}

class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  value(depth: number): Json {
    if (depth > MAX_DEPTH) throw new FormatError(`it nests deeper than ${MAX_DEPTH} levels`);
    this.space();
    const char = this.text[this.at];
    if (char === '{') return this.object(depth);
    if (char === '[') return this.array(depth);
    if (char === '"') return this.string();
    for (const [word, value] of [
      ['null', null],
      ['true', true],
      ['false', false],
    ] as const) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    return this.number();
  }

  end(): void {
    this.space();
    if (this.at < this.text.length) this.unexpected();
  }

  private object(depth: number): Map<string, Json> {
    const result = new Map<string, Json>();
    this.list('}', () => {
      if (this.text[this.at] !== '"') this.unexpected();
      const key = this.string();
      if (result.has(key)) throw new FormatError(`the key ${quote(key)} is there twice`);
      this.space();
      this.expect(':');
      result.set(key, this.value(depth + 1));
    });
    return result;
  }

  private array(depth: number): Json[] {
    const result: Json[] = [];
    this.list(']', () => {
      result.push(this.value(depth + 1));
    });
    return result;
  }

  /** Reads `item` by `item` from after the opening bracket to after `close`. */
  private list(close: string, item: () => void): void {
    this.at++;
    this.space();
    if (this.text[this.at] === close) {
      this.at++;
      return;
    }
    for (;;) {
      this.space();
      item();
      this.space();
      if (this.text[this.at] !== ',') break;
      this.at++;
    }
    this.expect(close);
  }

  private string(): string {
    const start = this.at++;
    while (this.at < this.text.length && this.text[this.at] !== '"')
      this.at += this.text[this.at] === '\\' ? 2 : 1;
    this.expect('"');
    let value: string;
    try {
      value = JSON.parse(this.text.slice(start, this.at));
    } catch {
      throw new FormatError(`the string at character ${start} is not valid JSON`);
    }
    if (/\p{Surrogate}/u.test(value))
      throw new FormatError(`the string at character ${start} is not valid Unicode`);
    return value;
  }

  private number(): number | bigint {
    NUMBER.lastIndex = this.at;
    const token = NUMBER.exec(this.text)?.[0];
    if (token === undefined) return this.unexpected();
    this.at += token.length;
    return /^\d{1,20}$/.test(token) ? BigInt(token) : Number(token);
  }

  private expect(char: string): void {
    if (this.text[this.at] !== char) this.unexpected();
    this.at++;
  }

  private space(): void {
    SPACE.lastIndex = this.at;
    this.at += SPACE.exec(this.text)![0].length;
  }

  private unexpected(): never {
    const found = this.at < this.text.length ? JSON.stringify(this.text[this.at]) : 'the end';
    throw new FormatError(`there is ${found} at character ${this.at} where JSON does not allow it`);
  }
}

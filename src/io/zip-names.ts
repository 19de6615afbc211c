/** An entry's name as a zip's directory has it. */
export interface RawName {
  bytes: Uint8Array;
  /** bit 11 of the flags: the bytes are UTF-8 */
  isUtf8: boolean;
  /** the name that Info-ZIP's Unicode path field gives, where its checksum fits the bytes */
  unicode?: string;
}

export interface DecodedNames {
  names: string[];
  /** what names that are not said to be UTF-8 were read as; absent where there are none */
  codePage?: string;
}

const CP437 = [
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧',
  '╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0',
].join('');

/**
 * The names of an archive's entries. Names that are not said to be UTF-8 are in the code page of the machine that wrote
 * them: UTF-8 all the same, Shift-JIS, GBK or CP437, one for the archive, that in which they look most like names.
 * Different bytes stay different names.
 */
export function decodeNames(names: RawName[]): DecodedNames {
  const decoded = names.map(({ bytes, isUtf8, unicode }) => unicode ?? (isUtf8 ? utf8(bytes) : ascii(bytes)));
  const open = names.flatMap(({ bytes }, i) => (decoded[i] === undefined ? [{ i, bytes }] : []));
  if (open.length === 0) return { names: decoded as string[] };
  const { decode, name } = codePageOf(open.map(({ bytes }) => bytes));
  for (const { i, bytes } of open) decoded[i] = decode(bytes);
  return { names: decoded as string[], codePage: name };
}

type Decode = (bytes: Uint8Array) => string | undefined;

interface CodePage {
  name: string;
  decode: Decode;
  /** how unlikely the characters are in a name, 0 to 2 for each */
  cost(bytes: Uint8Array): number;
}

const utf8 = strict('utf-8');
const fromCp437 = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => (byte < 128 ? String.fromCharCode(byte) : CP437[byte - 128])).join('');

const CODE_PAGES: CodePage[] = [
  { name: 'Shift-JIS', decode: strict('shift_jis'), cost: (bytes) => pairCost(bytes, shiftJis) },
  { name: 'GBK', decode: strict('gbk'), cost: (bytes) => pairCost(bytes, gbk) },
  { name: 'CP437', decode: fromCp437, cost: cp437Cost },
];

function codePageOf(names: Uint8Array[]): Pick<CodePage, 'name' | 'decode'> {
  const fits = (decode: Decode) => {
    const texts = names.map(decode);
    if (texts.includes(undefined)) return false;
    // pages hold some characters twice
    return new Set(texts).size === new Set(names.map(fromCp437)).size;
  };
  if (fits(utf8)) return { name: 'UTF-8', decode: utf8 };
  const cost = (page: CodePage) => names.reduce((sum, bytes) => sum + page.cost(bytes), 0);
  const possible = CODE_PAGES.filter(({ decode }) => fits(decode)).map((page) => ({
    page,
    cost: cost(page),
  }));
  return possible.reduce((best, each) => (each.cost < best.cost ? each : best)).page;
}

/** Undefined where the bytes are not of that encoding. */
function strict(encoding: string): Decode {
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  return (bytes) => {
    try {
      return decoder.decode(bytes);
    } catch {
      return undefined;
    }
  };
}

function ascii(bytes: Uint8Array): string | undefined {
  return bytes.every((byte) => byte < 128) ? String.fromCharCode(...bytes) : undefined;
}

/** Letters with accents stand in words of plain letters; frames and Greek do not stand in names. */
function cp437Cost(bytes: Uint8Array): number {
  let cost = 0;
  for (const [i, byte] of bytes.entries()) {
    if (byte < 128) continue;
    const isAccented = byte <= 0x9a || (byte >= 0xa0 && byte <= 0xa5) || byte === 0xe1;
    const neighbours = lettersFrom(bytes, i, 1) + lettersFrom(bytes, i, -1);
    cost += isAccented ? ([0.6, 0.4][neighbours] ?? 0.1) : 1.5;
  }
  return cost;
}

/** How many letters of ASCII follow place `from` that way, two at most. */
function lettersFrom(bytes: Uint8Array, from: number, step: number): number {
  let count = 0;
  while (count < 2 && isLetter(bytes[from + step * (count + 1)])) count++;
  return count;
}

function isLetter(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a));
}

/** A character that begins with those bytes: how many it takes, and how unlikely it is in a name. */
type Character = (lead: number, trail: number) => { length: number; cost: number };

/** Characters of two bytes: by how common they are, and no letters beside them. */
function pairCost(bytes: Uint8Array, character: Character): number {
  let cost = 0;
  let afterLetter = false;
  for (let i = 0; i < bytes.length; ) {
    if (bytes[i] < 128) {
      afterLetter = isLetter(bytes[i]);
      i++;
      continue;
    }
    const { length, cost: own } = character(bytes[i], bytes[i + 1]);
    cost += own + (afterLetter || isLetter(bytes[i + length]) ? 1 : 0);
    afterLetter = false;
    i += length;
  }
  return cost;
}

function shiftJis(lead: number): { length: number; cost: number } {
  if (lead >= 0xa1 && lead <= 0xdf) return { length: 1, cost: 0.8 }; // half-width katakana
  const isCommon = (lead >= 0x82 && lead <= 0x83) || (lead >= 0x88 && lead <= 0x97);
  return { length: 2, cost: isCommon ? 0.2 : lead <= 0xea ? 0.6 : 1 };
}

function gbk(lead: number, trail: number): { length: number; cost: number } {
  if (lead < 0xa1 || trail < 0xa1) return { length: 2, cost: 1.2 }; // beyond GB 2312
  return { length: 2, cost: lead >= 0xb0 && lead <= 0xd7 ? 0.2 : 0.5 };
}

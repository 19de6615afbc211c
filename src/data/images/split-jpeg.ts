import { ImageError, viewOf } from './format';
import { BitReader, damaged, endOfData, type HuffmanTable, readTables } from './jpeg-bits';
import { type Component, JpegWriter } from './jpeg-writer';

/** Two JPEGs of three components each, which every decoder reads. */
export interface SplitJpeg {
  /** the first three components: luma and chroma, or three colours that are taken for red, green and blue */
  colours: Uint8Array<ArrayBuffer>;
  /** the fourth as luma, of no colour */
  black: Uint8Array<ArrayBuffer>;
}

interface Frame {
  isProgressive: boolean;
  components: Component[];
  /** units of an interleaved scan */
  units: number;
  most: { h: number; v: number };
}

/** A component of a scan with its Huffman tables. */
interface ScanComponent {
  component: Component;
  dc?: HuffmanTable;
  ac?: HuffmanTable;
  tables: number;
}

const unusual = () => new ImageError('the CMYK JPEG is of an unusual kind; save it as PNG');

/** Identifiers of tables (class and number, then 16 counts by length, then symbols): both know symbol 0 alone, as one bit. */
const ONE_SYMBOL = [0x03, 1, ...new Array(15).fill(0), 0, 0x13, 1, ...new Array(15).fill(0), 0];
const ONE_SYMBOL_TABLES = 0x33;

/**
 * Splits a JPEG of four components, without decoding it: a scan is a sequence of blocks, each a few Huffman codes with bits
 * behind them, and which component a block belongs to follows from its place. Its bits go to one file or the other.
 * @param isYcck the first three are luma and chroma
 */
export function splitJpeg(bytes: Uint8Array, isYcck: boolean): SplitJpeg {
  const view = viewOf(bytes);
  const [colours, black] = [new JpegWriter(isYcck ? 1 : 0), new JpegWriter(1)];
  const tables = new Map<number, HuffmanTable>();
  let frame: Frame | undefined;
  let restart = 0;
  for (let at = 2; ; ) {
    // fill bytes may stand before a marker
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
    const marker = bytes[at + 1];
    if (bytes[at] !== 0xff) throw damaged();
    if (marker === 0xd9) break;
    if (at + 4 > bytes.length) throw new ImageError('the JPEG is cut off');
    const end = at + 2 + view.getUint16(at + 2);
    const segment = bytes.subarray(at + 4, end);
    at = end;
    if (marker === 0xdb || marker === 0xc4 || marker === 0xdd) {
      if (marker === 0xc4) readTables(segment, tables);
      if (marker === 0xdd) restart = viewOf(segment).getUint16(0);
      for (const file of [colours, black]) file.segment(marker, segment);
    } else if (marker >= 0xc0 && marker <= 0xc2) {
      frame = readFrame(segment, marker === 0xc2);
      const [, , , fourth] = frame.components;
      colours.frame(marker, segment, frame.components.slice(0, 3));
      black.frame(marker, segment, [fourth, ...dummies(fourth, frame.most)]);
      black.segment(0xc4, ONE_SYMBOL);
    } else if (marker >= 0xc3 && marker <= 0xcf) {
      throw unusual();
    } else if (marker === 0xda) {
      if (!frame) throw damaged();
      at = splitScan({ bytes, at, header: segment, frame, tables, restart }, colours, black);
    }
  }
  return { colours: colours.finish(), black: black.finish() };
}

function readFrame(segment: Uint8Array, isProgressive: boolean): Frame {
  const view = viewOf(segment);
  const [height, width] = [view.getUint16(1), view.getUint16(3)];
  if (segment[0] !== 8 || segment[5] !== 4 || segment.length < 18) throw unusual();
  const components = [0, 1, 2, 3].map((i) => {
    const [id, factors, quantisation] = segment.subarray(6 + 3 * i);
    return { id, h: factors >> 4, v: factors & 15, quantisation };
  });
  const largest = (of: Component[]) => ({
    h: Math.max(...of.map(({ h }) => h)),
    v: Math.max(...of.map(({ v }) => v)),
  });
  const [most, without] = [largest(components), largest(components.slice(0, 3))];
  // else the colours would lose their size with the black
  if (most.h !== without.h || most.v !== without.v) throw unusual();
  const units = Math.ceil(width / (8 * most.h)) * Math.ceil(height / (8 * most.v));
  return { isProgressive, components, units, most };
}

/** Two components of nothing: chroma for the black, which is gray. The first keeps the size of the frame's units. */
function dummies({ id, quantisation }: Component, most: { h: number; v: number }): Component[] {
  const ids = [1, 2, 3].filter((other) => other !== id);
  return [
    { id: ids[0], ...most, quantisation },
    { id: ids[1], h: 1, v: 1, quantisation },
  ];
}

interface Scan {
  bytes: Uint8Array;
  /** where its data begins */
  at: number;
  header: Uint8Array;
  frame: Frame;
  tables: Map<number, HuffmanTable>;
  /** units between two restart markers; 0: none */
  restart: number;
}

/** @returns where the scan's data ends */
function splitScan(
  { bytes, at, header, frame, tables, restart }: Scan,
  colours: JpegWriter,
  black: JpegWriter,
): number {
  const members = Array.from({ length: header[0] }, (_, i): ScanComponent => {
    const [id, selected] = header.subarray(1 + 2 * i);
    const component = frame.components.find((each) => each.id === id);
    if (!component) throw damaged();
    return {
      component,
      tables: selected,
      dc: tables.get(selected >> 4),
      ac: tables.get(0x10 | (selected & 15)),
    };
  });
  const range = header.subarray(1 + 2 * members.length);
  const fourth = frame.components[3];
  const own = members.filter(({ component }) => component !== fourth);
  if (own.length === 0 || own.length === members.length) {
    // of one side alone: as it stands
    const end = endOfData(bytes, at);
    const file = own.length === 0 ? black : colours;
    file.segment(0xda, header);
    file.raw(bytes.subarray(at, end));
    return end;
  }
  // a component alone in its scan has its blocks in another order
  if (own.length === 1 && own[0].component.h * own[0].component.v > 1) throw unusual();
  const dummy = dummies(fourth, frame.most);
  const ofBlack = members.filter(({ component }) => component === fourth);
  colours.scan(own, range);
  black.scan([...ofBlack, ...dummy.map((component) => ({ component, tables: ONE_SYMBOL_TABLES }))], range);
  const kind: BlockKind = frame.isProgressive ? (range[2] >> 4 === 0 ? 'first' : 'refined') : 'whole';
  const nothing = dummy.reduce((sum, { h, v }) => sum + h * v, 0) * (kind === 'whole' ? 2 : 1);
  const reader = new BitReader(bytes, at);
  for (let unit = 0; unit < frame.units; unit++) {
    if (restart > 0 && unit > 0 && unit % restart === 0) {
      const marker = reader.restart();
      for (const file of [colours, black]) file.restart(marker);
    }
    for (const member of members) {
      const file = member.component === fourth ? black : colours;
      for (let b = member.component.h * member.component.v; b > 0; b--) copyBlock(reader, member, kind, file);
    }
    for (let bit = 0; bit < nothing; bit++) black.bit(0);
  }
  for (const file of [colours, black]) file.align();
  return endOfData(bytes, reader.end());
}

/** A block of a sequential scan, or of a progressive one's scans of mean values: the first, or one more bit of them. */
type BlockKind = 'whole' | 'first' | 'refined';

function copyBlock(reader: BitReader, { dc, ac }: ScanComponent, kind: BlockKind, file: JpegWriter): void {
  if (kind === 'refined') {
    copyBits(reader, 1, file);
    return;
  }
  if (!dc) throw damaged();
  copyBits(reader, copySymbol(reader, dc, file), file);
  if (kind === 'first') return;
  if (!ac) throw damaged();
  for (let k = 1; k < 64; k++) {
    const symbol = copySymbol(reader, ac, file);
    const [zeros, size] = [symbol >> 4, symbol & 15];
    if (size === 0 && zeros < 15) return;
    copyBits(reader, size, file);
    k += zeros;
  }
}

function copySymbol(reader: BitReader, table: HuffmanTable, file: JpegWriter): number {
  let code = 0;
  for (let length = 1; length <= 16; length++) {
    const bit = reader.bit();
    file.bit(bit);
    code = (code << 1) | bit;
    const place = code - table.first[length];
    if (place >= 0 && place < table.counts[length]) return table.symbols[table.start[length] + place];
  }
  throw damaged();
}

function copyBits(reader: BitReader, count: number, file: JpegWriter): void {
  for (let i = 0; i < count; i++) file.bit(reader.bit());
}

import { Refusal } from './format-error';

/** What a file's kind is told by. */
export interface FileStart {
  /** the first START bytes, or all where there are fewer */
  bytes: Uint8Array;
  /** in lower case, without its folder */
  name: string;
}

/** Bytes that tell a file's kind. */
export const START = 4096;

/** A kind of file that weights can be read from. */
export type WeightsKind = 'safetensors' | 'zip' | 'pickle' | 'onnx';

interface Kind {
  /** as it stands in tests and after "is": "an ONNX model" */
  is: string;
  test(start: FileStart, text: string | undefined): boolean;
  /** what to do next; absent where such a file is read */
  next?: string;
  reads?: WeightsKind;
}

export const SAVE = 'save the weights from PyTorch: torch.save(model.state_dict(), "weights.pth")';
export const CONVERT = `load it into the network in PyTorch, then ${SAVE}`;
/** Their ways of padding have no place in a state dict; a graph has. */
const TO_ONNX = 'convert it to ONNX with tf2onnx (docs/weights.md) and choose that';
const UNPACK = 'unpack it and choose the file of weights in it';
const AGAIN = 'download the file itself (on a web page, by its "raw" or "download" link)';

const starts =
  (...bytes: number[]) =>
  ({ bytes: start }: FileStart) =>
    bytes.every((byte, i) => start[i] === byte);
const ascii = (word: string, at = 0) => {
  const bytes = [...word].map((char) => char.charCodeAt(0));
  return ({ bytes: start }: FileStart) => bytes.every((byte, i) => start[at + i] === byte);
};
const named =
  (pattern: RegExp) =>
  ({ name }: FileStart) =>
    pattern.test(name);
const reads = (pattern: RegExp) => (_: FileStart, text: string | undefined) =>
  text !== undefined && pattern.test(text);

/** The first that fits counts: by content where it has a mark, then by name, then by what text looks like. */
const KINDS: Kind[] = [
  { is: 'empty', test: ({ bytes }) => bytes.length === 0, next: 'download it or export it again' },
  // before all others: its first bytes are a length, which can look like anything
  { is: 'a safetensors file', test: isSafetensors, reads: 'safetensors' },
  { is: 'a zip archive', test: starts(0x50, 0x4b, 3, 4), reads: 'zip' },
  { is: 'an empty zip archive', test: starts(0x50, 0x4b, 5, 6), next: 'make it again' },
  { is: 'a pickle', test: isPickle, reads: 'pickle' },
  { is: 'a GGUF model of a language model', test: ascii('GGUF'), next: CONVERT },
  { is: 'a TensorFlow Lite model', test: ascii('TFL3', 4), next: TO_ONNX },
  { is: 'an ExecuTorch program', test: ({ bytes }) => /^ET\d\d/.test(latin1(bytes).slice(4)), next: SAVE },
  {
    is: 'an HDF5 file, as Keras and TensorFlow write them',
    test: starts(0x89, 0x48, 0x44, 0x46),
    next: TO_ONNX,
  },
  {
    is: 'a NumPy array',
    test: starts(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59),
    next: 'put all arrays into one file under PyTorch\'s names: torch.save({name: torch.from_numpy(numpy.load(path)), ...}, "weights.pth")',
  },
  { is: 'a MATLAB file', test: ascii('MATLAB'), next: CONVERT },
  { is: 'an MXNet file', test: starts(0x12, 1, 0, 0, 0, 0, 0, 0), next: CONVERT },
  { is: 'a file of Lua Torch 7', test: starts(4, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0x56), next: CONVERT },
  {
    is: 'a checkpoint of PyTorch before 0.1.12, a tar archive',
    test: (start) => isTar(start) && /^(sys_info|storages|tensors|pickle)\0/.test(latin1(start.bytes)),
    next: 'load it in PyTorch and save it again: torch.save(torch.load(path), "weights.pth")',
  },
  { is: 'a tar archive', test: isTar, next: UNPACK },
  { is: 'compressed with gzip', test: starts(0x1f, 0x8b), next: UNPACK },
  { is: 'compressed with bzip2', test: ascii('BZh'), next: UNPACK },
  { is: 'compressed with xz', test: starts(0xfd, 0x37, 0x7a, 0x58, 0x5a), next: UNPACK },
  { is: 'compressed with Zstandard', test: starts(0x28, 0xb5, 0x2f, 0xfd), next: UNPACK },
  { is: 'a 7z archive', test: starts(0x37, 0x7a, 0xbc, 0xaf), next: UNPACK },
  { is: 'a RAR archive', test: ascii('Rar!'), next: UNPACK },
  { is: 'a picture', test: isPicture, next: 'give it as data; weights are a .safetensors or .pth file' },
  { is: 'a film or a sound', test: isMedia, next: `choose a .safetensors or .pth file, or ${SAVE}` },
  {
    is: 'a program',
    test: ({ bytes }) => /^(MZ|\x7fELF)/.test(latin1(bytes)),
    next: 'it is not run; choose a .safetensors or .pth file',
  },
  { is: 'a PDF document', test: ascii('%PDF'), next: SAVE },
  { is: 'a TensorFlow SavedModel', test: isSavedModel, next: TO_ONNX },
  { is: 'a Core ML model', test: named(/\.mlmodel$/), next: CONVERT },
  { is: 'an ONNX model', test: isOnnx, reads: 'onnx' },
  {
    is: 'a TensorFlow checkpoint',
    test: named(/\.data-\d+-of-\d+$|\.ckpt(-\d+)?\.(index|meta)$/),
    next: CONVERT,
  },
  { is: 'a TensorFlow graph', test: named(/\.pb$/), next: TO_ONNX },
  { is: 'a Caffe model', test: named(/\.caffemodel$/), next: CONVERT },
  { is: 'a Darknet file', test: named(/\.weights$/), next: CONVERT },
  { is: 'a Flax checkpoint', test: named(/\.msgpack$/), next: CONVERT },
  {
    is: 'a git-lfs pointer, which stands for the file and does not hold it',
    test: reads(/^version https:\/\/git-lfs/),
    next: 'fetch the file itself: git lfs pull, or the download link of its page',
  },
  { is: 'a web page (HTML)', test: reads(/^\s*<(!doctype html|html|head|body)/i), next: AGAIN },
  { is: 'an OpenVINO model', test: reads(/^\s*(<\?xml[^>]*>\s*)?<net /), next: CONVERT },
  { is: 'an XML file', test: reads(/^\s*<(\?xml|!--|[a-z]+[ >])/i), next: AGAIN },
  {
    is: 'an index of shards',
    test: reads(/^\s*\{[\s\S]*"weight_map"\s*:/),
    next: 'choose the files that it names',
  },
  {
    is: "TensorFlow.js's model.json",
    test: reads(/^\s*\{[\s\S]*"(modelTopology|weightsManifest)"\s*:/),
    next: TO_ONNX,
  },
  {
    is: 'a JSON file',
    test: (_, text) => text !== undefined && /^\s*[{[]\s*["{[\]}\d-]/.test(text),
    next: 'choose the file of weights beside it (.safetensors or .pth)',
  },
  {
    is: 'a CSV table',
    test: (start, text) => text !== undefined && /\.[ct]sv$/.test(start.name),
    next: SAVE,
  },
  // by its content it is none, and its reader says why
  { is: 'a safetensors file', test: named(/\.safetensors$/), reads: 'safetensors' },
  {
    is: 'a text file',
    test: (_, text) => text !== undefined,
    next: `choose a .safetensors or .pth file, or ${SAVE}`,
  },
  {
    is: 'zeros from its first byte on, as a download that broke off leaves them',
    test: ({ bytes }) => bytes.every((byte) => byte === 0),
    next: 'download it again',
  },
];

/** Tells what kind of weights a file holds. Throws a Refusal that names the kind of one that holds none. */
export function kindOf(start: FileStart): WeightsKind {
  const text = asText(start.bytes);
  const kind = KINDS.find(({ test }) => test(start, text));
  if (kind?.reads) return kind.reads;
  if (kind) throw new Refusal(`is ${kind.is}; ${kind.next}`);
  const hex = [...start.bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  throw new Refusal(
    `is no file of weights of a kind that is known here (it begins with the bytes ${hex}); download it again, or ${SAVE}`,
  );
}

/** The start of a file as text; undefined where it has bytes that no text has. */
function asText(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(bytes);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they tell text from other bytes
  const binary = /[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text);
  // the last character may be cut
  return binary || text.slice(0, -1).includes('\ufffd') ? undefined : text;
}

const latin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes.subarray(0, 512));

/** Protocols 2 to 5, or the beginnings of 0 and 1: a global, or a dict or list and its memo. */
function isPickle({ bytes }: FileStart): boolean {
  if (bytes[0] === 0x80) return bytes[1] <= 5;
  return /^(\(?c[\w.]+\n[\w.]+\n|\([dl]p?\d|\(S'[^'\n]*'\ni[\w.]+\n|\}q|\]q)/.test(latin1(bytes));
}

/** The header's `{` follows its length, which is below 2^32. */
function isSafetensors({ bytes }: FileStart): boolean {
  return bytes[8] === 0x7b && bytes.subarray(4, 8).every((byte) => byte === 0);
}

function isTar({ bytes }: FileStart): boolean {
  return latin1(bytes).slice(257, 262) === 'ustar';
}

function isPicture({ bytes }: FileStart): boolean {
  return /^(\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP|BM....\0\0\0\0|II\*\0|MM\0\*|....ftyp(avif|heic|mif1))/s.test(
    latin1(bytes),
  );
}

/** ISO media (MP4, MOV), RIFF (WAV, AVI), Matroska, Ogg, FLAC and MP3 with its tags. */
function isMedia({ bytes }: FileStart): boolean {
  return /^(....ftyp|RIFF....(WAVE|AVI )|.E\xdf\xa3|OggS|fLaC|ID3)/s.test(latin1(bytes));
}

/** Protocol buffers: field 1 is a version; field 2 is a graph, which begins with its own field 1. */
function isSavedModel({ bytes }: FileStart): boolean {
  if (bytes[0] !== 8 || bytes[1] !== 1 || bytes[2] !== 0x12) return false;
  let at = 3;
  while (bytes[at] >= 0x80) at++;
  return bytes[at + 1] === 0x0a;
}

/** Protocol buffers: field 1 is the version, and then comes the producer's name, the graph or the operator sets. */
function isOnnx({ bytes, name }: FileStart): boolean {
  const known =
    bytes[0] === 8 && bytes[1] > 0 && bytes[1] < 32 && [0x12, 0x1a, 0x22, 0x3a, 0x42].includes(bytes[2]);
  return known || /\.onnx$/.test(name);
}

import { strToU8, unzipSync, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { writePyTorch } from '../../../src/io/pytorch/write';
import { writeSafetensors } from '../../../src/io/safetensors';
import { floats } from '../../../src/io/tensor';
import { openWeights } from '../../../src/io/weights-file';

const latin1 = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const open = (name: string, bytes: Uint8Array | string) => {
  const content = typeof bytes === 'string' ? latin1(bytes) : bytes;
  return openWeights({ path: name, blob: new Blob([content as Uint8Array<ArrayBuffer>]) });
};
const network = new Map([['conv.weight', floats([2], [1, 2])]]);

describe('a file that holds no weights is named by its kind, with the next step', () => {
  const tar = (first: string) => first.padEnd(257, '\0') + 'ustar'.padEnd(255, '\0');
  const toOnnx = /convert it to ONNX with tf2onnx \(docs\/weights\.md\)/;
  const saved = /load it into the network in PyTorch, then .*torch\.save\(model\.state_dict\(\)/;
  const cases: [name: string, content: Uint8Array | string, is: RegExp, next: RegExp][] = [
    ['a.pth', '', /^a\.pth is empty;/, /download it/],
    [
      'a.onnx',
      '\b\b\x12\x07pytorch\x1a\x061.13.0:\0',
      /^a\.onnx: it has no graph of operators;/,
      /export it again/,
    ],
    ['a.pth', '\b\x07:\x85\x02\n', /^a\.pth: it is no ONNX model, or a damaged one/, /export it again/],
    ['saved_model.pb', '\b\x01\x12\x9c\xee\x01\n\x04', /is a TensorFlow SavedModel;/, toOnnx],
    ['frozen.pb', '\n\x10\n\x04name\x12', /is a TensorFlow graph;/, toOnnx],
    ['a.tflite', '\x1c\0\0\0TFL3\x14\0', /is a TensorFlow Lite model;/, toOnnx],
    ['a.pte', '\x30\0\0\0ET12\0\0', /is an ExecuTorch program;/, /torch\.save/],
    ['a.h5', '\x89HDF\r\n\x1a\n\0\0', /is an HDF5 file, as Keras and TensorFlow write them;/, toOnnx],
    ['model.ckpt.data-00000-of-00001', '\0\0\x80\x3f', /is a TensorFlow checkpoint;/, saved],
    ['model.ckpt.index', '\0\0\0', /is a TensorFlow checkpoint;/, saved],
    [
      'model.json',
      '{"format": "layers-model", "modelTopology": {}}',
      /is TensorFlow\.js's model\.json;/,
      toOnnx,
    ],
    ['config.json', '{\n  "architectures": ["ResNet"]}', /is a JSON file;/, /beside it/],
    ['a.npy', '\x93NUMPY\x01\0', /is a NumPy array;/, /torch\.from_numpy/],
    ['a.gguf', 'GGUF\x03\0\0\0', /is a GGUF model/, /PyTorch/],
    ['a.mat', 'MATLAB 5.0 MAT-file', /is a MATLAB file;/, saved],
    ['a.t7', '\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1', /is a file of Lua Torch 7;/, saved],
    ['a.caffemodel', '\n\x05VGG16', /is a Caffe model;/, saved],
    ['yolo.weights', '\0\0\0\0\x02\0\0\0\x05\0\0\0', /is a Darknet file;/, saved],
    ['a.mlmodel', '\b\x04\x12', /is a Core ML model;/, saved],
    ['flax_model.msgpack', '\x81\xa6params', /is a Flax checkpoint;/, saved],
    ['model.params', '\x12\x01\0\0\0\0\0\0', /is an MXNet file;/, saved],
    [
      'old.pth',
      tar('sys_info'),
      /is a checkpoint of PyTorch before 0\.1\.12/,
      /torch\.save\(torch\.load\(path\)/,
    ],
    ['a.tar', tar('net.pth'), /is a tar archive;/, /unpack it/],
    ['a.pth.gz', '\x1f\x8b\b\0', /is compressed with gzip;/, /unpack it/],
    ['a.pth.xz', '\xfd7zXZ\0', /is compressed with xz;/, /unpack it/],
    ['a.7z', '7z\xbc\xaf\x27\x1c', /is a 7z archive;/, /unpack it/],
    ['a.rar', 'Rar!\x1a\x07', /is a RAR archive;/, /unpack it/],
    ['a.png', '\x89PNG\r\n\x1a\n', /is a picture;/, /as data/],
    ['a.jpg', '\xff\xd8\xff\xe0\0\x10JFIF', /is a picture;/, /as data/],
    ['a.mp4', '\0\0\0\x20ftypisom', /is a film or a sound;/, /choose/],
    ['a.mkv', '\x1aE\xdf\xa3', /is a film or a sound;/, /choose/],
    ['a.wav', 'RIFF\x10\0\0\0WAVEfmt ', /is a film or a sound;/, /choose/],
    ['a.mp3', 'ID3\x04\0', /is a film or a sound;/, /choose/],
    ['a.ogg', 'OggS\0', /is a film or a sound;/, /choose/],
    ['a.flac', 'fLaC\0', /is a film or a sound;/, /choose/],
    ['a.exe', 'MZ\x90\0', /is a program;/, /choose/],
    ['a.pth', '\x7fELF\x02', /is a program;/, /choose/],
    ['a.pth', '\0'.repeat(600), /is zeros from its first byte on/, /download it again/],
    ['a.pdf', '%PDF-1.7\n%\xb5', /is a PDF document;/, /torch\.save/],
    [
      'a.pth',
      'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 14214848\n',
      /^a\.pth is a git-lfs pointer/,
      /git lfs pull/,
    ],
    [
      'model.safetensors',
      'version https://git-lfs.github.com/spec/v1\n',
      /is a git-lfs pointer/,
      /git lfs pull/,
    ],
    ['model.safetensors', '<html>', /is a web page/, /download/],
    ['model.safetensors', '{"error":"gone"}', /is a JSON file/, /choose/],
    ['a.pth', '\n<!DOCTYPE html>\n<html lang="en">', /is a web page \(HTML\);/, /download the file itself/],
    ['a.pth', '\xef\xbb\xbf<html>', /is a web page/, /download/],
    ['a.xml', '<?xml version="1.0"?>\n<net name="a" version="11">', /is an OpenVINO model;/, saved],
    ['a.pth', '<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code>', /is an XML file;/, /download/],
    ['a.csv', 'file,label\n1.png,cat\n', /is a CSV table;/, /torch\.save/],
    ['README.md', '# A network\n', /is a text file;/, /choose a \.safetensors or \.pth file/],
    ['a.txt', 'PLANETS\n', /is a text file;/, /choose/],
    ['a.py', 'class Net(nn.Module):\n  pass.', /is a text file;/, /choose/],
    [
      'a.bin',
      '\0\0\x80\x3f\0\0',
      /is no file of weights of a kind that is known here \(it begins with the bytes 00 00 80 3f 00 00\)/,
      /torch\.save/,
    ],
  ];
  test.each(cases)('%s %j', async (name, content, is, next) => {
    await expect(open(name, content)).rejects.toThrow(UserError);
    await expect(open(name, content)).rejects.toThrow(is);
    await expect(open(name, content)).rejects.toThrow(next);
    await expect(open(name, content)).rejects.toThrow(/^[^\n]+[^.]\.$/);
  });
});

test('a safetensors file is one whatever its first bytes, the length of its header, look like', async () => {
  for (let length = 0; length < 320; length++) {
    const bytes = writeSafetensors(network, new Map([['format', 'x'.repeat(8 * length)]]));
    const opened = await open('a.bin', bytes);
    expect([length, opened.format]).toEqual([length, 'safetensors']);
  }
});

describe('zip archives', () => {
  const pth = writePyTorch(network);
  const zip = (files: Record<string, Uint8Array>) => zipSync(files);
  const text = strToU8('x');

  test('of one file of weights are opened, packed or not, beside what is no weights', async () => {
    for (const [name, bytes] of [
      ['net.pth', pth],
      ['net.safetensors', writeSafetensors(network)],
    ] as const) {
      const opened = await open(
        'a.zip',
        zip({ [`out/${name}`]: bytes, '__MACOSX/out/._net.pth': pth, 'log.txt': text }),
      );
      expect(opened.file).toBe(`a.zip/out/${name}`);
      expect(await opened.copies[0].read()).toEqual(network);
    }
  });

  test('of a checkpoint that was unpacked and packed again', async () => {
    const files = Object.entries(unzipSync(pth));
    const unpacked = Object.fromEntries(files.map(([name, bytes]) => [`net/${name}`, bytes]));
    const opened = await open('a.zip', zip(unpacked));
    expect(await opened.copies[0].read()).toEqual(network);
  });

  const cases: [string, Record<string, Uint8Array>, RegExp][] = [
    [
      'several',
      { 'a.pth': pth, 'b.pth': pth },
      /There are 2 files of weights \(a\.zip\/a\.pth, a\.zip\/b\.pth\); choose one/,
    ],
    [
      'archives of archives',
      { 'b.pth': zip({ 'c.pth': pth }) },
      /a\.zip\/b\.pth is a zip archive without a file of weights \(it holds "c\.pth"\)/,
    ],
    [
      'none',
      { 'a.txt': text, 'b.txt': text },
      /is a zip archive without a file of weights \(it holds "a\.txt", "b\.txt"\)/,
    ],
    ['pictures', { 'cat/1.jpg': text }, /is an archive of pictures; give it as data/],
    ['a Keras model', { 'config.json': text, 'model.weights.h5': text }, /is a Keras model;/],
    [
      'a SavedModel',
      { 'm/saved_model.pb': text, 'm/variables/variables.index': text },
      /is an archive of a TensorFlow SavedModel;/,
    ],
    [
      'torch.export',
      { 'a/archive_format': text, 'a/models/model.json': text },
      /is a program of torch\.export; .*torch\.export\.load/,
    ],
    ['an older torch.export', { 'serialized_exported_program.json': text }, /is a program of torch\.export;/],
    [
      'a pointer inside',
      { 'a.pth': strToU8('version https://git-lfs.github.com/spec/v1\n') },
      /a\.zip\/a\.pth is a git-lfs pointer/,
    ],
    ['nothing', {}, /is an empty zip archive/],
  ];
  test.each(cases)('of %s are named', async (_, files, message) => {
    await expect(open('a.zip', zip(files))).rejects.toThrow(UserError);
    await expect(open('a.zip', zip(files))).rejects.toThrow(message);
  });
});

test.each(['../a.safetensors', './a.safetensors', '../../b/a.safetensors'])(
  'a path as a script has it, %s, is not hidden',
  async (path) => {
    const { copies } = await open(path, writeSafetensors(network));
    expect([...copies[0].entries.keys()]).toEqual(['conv.weight']);
  },
);

test.each(['.a.safetensors', '.cache/a.safetensors', '../.a.safetensors', '__MACOSX/a.safetensors'])(
  '%s is hidden',
  async (path) => {
    await expect(open(path, writeSafetensors(network))).rejects.toThrow(/There is no file of weights/);
  },
);

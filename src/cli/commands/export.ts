import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { UserError } from '../../errors';
import { parseSetting } from '../../train/settings';
import { type Command, text } from '../command';
import { inputPaths, modelFrom, modelOptions, runtimeOptions } from '../options';

export const exportCommand: Command = {
  usage: 'export --to FILE.onnx',
  summary: 'Writes a network as an ONNX file, read again and compared with the network.',
  positionals: [],
  options: {
    ...modelOptions,
    to: { type: 'string', value: 'FILE', help: 'the file to write, .onnx' },
    size: {
      type: 'string',
      value: 'N',
      help: 'side of the images in pixels',
      fallback: 'that of the images that it was trained on',
    },
    preprocessing: {
      type: 'boolean',
      help: 'the graph takes pixels from 0 to 255 and normalises them itself',
    },
    softmax: { type: 'boolean', help: 'probabilities instead of logits' },
    'fold-norms': { type: 'boolean', help: 'fold batch norms into the convolutions before them' },
    overwrite: { type: 'boolean', help: 'write over a file that is there' },
    ...runtimeOptions,
  },
  async run(args, context) {
    const to = text(args, 'to');
    if (to === undefined) throw new UserError('--to is missing: name the ONNX file to write.');
    if (!/\.onnx$/i.test(to)) throw new UserError(`--to ${to} is no .onnx file: name one.`);
    if (existsSync(to) && args.values.overwrite !== true)
      throw new UserError(`${to} is there already: name another --to, or say --overwrite.`);
    const given = text(args, 'size');
    const size = given === undefined ? undefined : parseSetting('imageSize', given, '--size');
    if (size === 0) throw new UserError('--size must be a whole number from 1 to 1024, not "0".');
    const source = await modelFrom(inputPaths(args), context);
    const engine = await context.openEngine({ host: text(args, 'runtime') ?? 'auto' });
    try {
      const { bytes, proof, notes } = await engine.api.exportOnnx(source, {
        ...(size !== undefined && { size }),
        preprocessing: args.values.preprocessing === true,
        softmax: args.values.softmax === true,
        fold: args.values['fold-norms'] === true,
      });
      for (const note of notes) context.note(note);
      await writeFile(to, bytes).catch((cause: NodeJS.ErrnoException) => {
        throw new UserError(`${to} could not be written (${cause.code}): name another --to.`);
      });
      context.out(JSON.stringify({ to, bytes: bytes.length, proof }));
      return 0;
    } finally {
      await engine.close();
    }
  },
};

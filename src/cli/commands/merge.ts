import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { UserError } from '../../errors';
import { BRANCHES_EPS } from '../../model/branches';
import { isAddress } from '../../remote/address';
import { mergeFile, mergeIntoOnnx } from '../../run/merge-file';
import { type Command, text } from '../command';
import { readWeightFiles } from '../files';
import { networkFrom, networkOptions } from '../options';

export const merge: Command = {
  usage: 'merge FILE',
  summary:
    "Merges the refocusing maps of a file into its kernels, or folds the branches of a file without maps (RepVGG's, MobileOne's, RepLKNet's, SLaK's, ACNet's, DBB's), proven in float64; needs no GPU.",
  positionals: ['FILE'],
  options: {
    ...networkOptions,
    onnx: {
      type: 'string',
      value: 'FILE',
      help: 'the ONNX model that the run of FILE began with: it is written with the merged numbers',
    },
    'bn-eps': {
      type: 'string',
      value: 'X',
      help: 'eps of the batch norms of branches, where it was another in training',
      fallback: String(BRANCHES_EPS),
    },
    out: { type: 'string', value: 'FILE', help: 'where to write; default: NAME.merged beside FILE' },
    overwrite: { type: 'boolean', help: 'write over a file that is there' },
  },
  async run(args, context) {
    const [path] = args.positionals;
    const files = await readWeightFiles(path, undefined, context);
    const onnx = text(args, 'onnx');
    const { bytes, format, maps, blocks, error, notes } = onnx
      ? await mergeIntoOnnx(files, await readWeightFiles(onnx, '--onnx', context))
      : await mergeFile(files, networkFrom(args), epsOf(text(args, 'bn-eps')));
    const beside = join(
      isAddress(path) ? '.' : dirname(path),
      `${basename(path, extname(path))}.merged.${format}`,
    );
    const out = text(args, 'out') ?? beside;
    if (existsSync(out) && args.values.overwrite !== true)
      throw new UserError(`${out} is there already: name another --out, or say --overwrite.`);
    for (const note of notes) context.note(note);
    await writeFile(out, bytes).catch((cause: NodeJS.ErrnoException) => {
      throw new UserError(`${out} could not be written (${cause.code}): name another --out.`);
    });
    context.note(
      blocks > 0
        ? 'Proven block by block on noise, in float64, without a GPU.'
        : 'Proven by the weights in float64, without a GPU.',
    );
    context.out(JSON.stringify({ out, maps, blocks, error }));
    return 0;
  },
};

/** @throws UserError where it is no eps */
function epsOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const eps = Number(given);
  if (!(eps >= 0 && eps < 1)) throw new UserError(`--bn-eps must be a number from 0 to 1, not "${given}".`);
  return eps;
}

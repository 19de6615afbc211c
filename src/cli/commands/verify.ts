import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import type { EngineApi, VerifyLine } from '../../api';
import { UserError } from '../../errors';
import { type Command, text } from '../command';
import { kindOf, listFiles } from '../files';
import { runtimeOptions } from '../options';

export const verify: Command = {
  usage: 'verify DIR',
  summary:
    'Runs each golden case (*.safetensors) of a folder on the GPU; a JSON line a case, the counts last. Exits with 1 where one fails.',
  positionals: ['DIR'],
  options: {
    ...runtimeOptions,
    strict: { type: 'boolean', help: "fail cases that only float32's own spread excuses" },
  },
  async run(args, context) {
    const [folder] = args.positionals;
    if ((await kindOf(folder)) === 'file')
      throw new UserError(`${folder} is a file; name the folder of the cases.`);
    const root = resolve(folder);
    const files = (await listFiles(root)).filter((file) => file.endsWith('.safetensors'));
    if (files.length === 0)
      throw new UserError(`${folder} holds no .safetensors file; name a folder of golden cases.`);
    const engine = await context.openEngine({ host: text(args, 'runtime') ?? 'auto' });
    const counts = { pass: 0, excused: 0, fail: 0 };
    try {
      for (const [index, file] of files.entries()) {
        const name = relative(root, file)
          .replace(/\.safetensors$/, '')
          .replaceAll('\\', '/');
        context.progress(`${index + 1}/${files.length} ${name}`);
        const line = await verifyFile(engine.api, name, file);
        counts[line.verdict]++;
        context.progress('');
        context.out(JSON.stringify(line));
      }
    } finally {
      await engine.close();
    }
    const { pass: passed, excused, fail: failed } = counts;
    context.out(JSON.stringify({ cases: files.length, passed, excused, failed }));
    context.note(`${passed} passed, ${excused} within float32's own spread, ${failed} failed`);
    return failed > 0 || (args.values.strict === true && excused > 0) ? 1 : 0;
  },
};

/** A case that cannot even run is a failed case, not the end of the others. */
async function verifyFile(api: EngineApi, name: string, file: string): Promise<VerifyLine> {
  try {
    return await api.verify(name, new Uint8Array(await readFile(file)));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { case: name, op: 'unknown', verdict: 'fail', error: Number.NaN, tolerance: Number.NaN, message };
  }
}

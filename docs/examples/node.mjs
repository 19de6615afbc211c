/** Training in Node, on Dawn (`npm install refocus webgpu`). Writes the merged network to the file that is named. */
import { writeFile } from 'node:fs/promises';
import { parseSettings } from 'refocus';
import { createNodeEngine } from 'refocus/node';

const [out = 'merged.safetensors'] = process.argv.slice(2);
const engine = await createNodeEngine();
console.log(await engine.adapter());

const { report, merged } = await engine.train(
  {
    model: { kind: 'builtin' },
    train: { kind: 'builtin', split: 'train' },
    settings: parseSettings({ epochs: 1, batch: 16, limit: 200 }),
  },
  (event) => {
    if (event.type !== 'steps') return;
    for (const { step, loss } of event.points) console.log(`${step}: ${loss}`);
  },
);
await writeFile(out, merged);
console.log(`${report.steps} steps, proven: ${report.proof.ok}, ${out}`);

/** Training in a page of one's own: the engine works in its worker, the page shows what it tells. */
import { connectEngine, parseSettings, UserError } from 'refocus';

const { api: engine } = connectEngine();
const button = document.querySelector('button')!;
const log = document.querySelector('pre')!;

button.addEventListener('click', async () => {
  button.disabled = true;
  try {
    const { report, merged } = await engine.train(
      {
        model: { kind: 'builtin' },
        train: { kind: 'builtin', split: 'train' },
        settings: parseSettings({ epochs: 1, batch: 16, limit: 200 }),
      },
      (event) => {
        if (event.type === 'phase') log.append(`${event.message}\n`);
        if (event.type === 'steps')
          for (const { step, loss } of event.points) log.append(`${step}: ${loss}\n`);
      },
    );
    log.append(`${report.steps} steps, proven: ${report.proof.ok}, ${merged.length} bytes of safetensors\n`);
  } catch (error) {
    // what the user can mend comes in one sentence
    if (!(error instanceof UserError)) throw error;
    log.append(error.message);
  }
});

/** Images of the user's, each shown to all networks there are, side by side. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { UserFile } from '../../api';
import { adapter, engine, explain } from '../engine';
import { pickedFiles } from '../files';
import { percent } from '../format';
import { pictures } from '../input/take';
import { isUnderWay, shownRun } from '../run/state';
import { Camera } from './camera';
import { type TriedNetwork, triedNetworks } from './try-networks';

/** Images that are predicted at once. */
const MOST = 12;

type Answer = { top: { class: string; probability: number }[] } | { error: string };

/** What a network says of each image, in their order. */
interface Answers {
  name: string;
  why?: string;
  answers?: Answer[];
}

export function TryPanel() {
  const files = pictures.value;
  const [found, setFound] = useState<Answers[]>([]);
  const [isWaiting, setWaiting] = useState(false);
  const isFree = !isUnderWay.value && adapter.value.state === 'ready';
  const shown = useMemo(() => files.slice(0, MOST), [files]);
  // a run's end, or another run that is shown, changes who answers
  const networks = networksNow();
  const names = 'why' in networks ? networks.why : networks.list.map(({ name }) => name).join();
  const key = `${shownRun.value?.id} ${names}`;
  useEffect(() => {
    if (shown.length === 0 || !isFree || 'why' in networks) return;
    let isGone = false;
    setWaiting(true);
    ask(networks.list, shown).then((answers) => {
      if (isGone) return;
      setFound(answers);
      setWaiting(false);
    });
    return () => {
      isGone = true;
    };
  }, [shown, isFree, key]);
  const [seen, setSeen] = useState<Answers[]>([]);
  const watch = useMemo(() => {
    if (!isFree || 'why' in networks) return undefined;
    return async (blob: Blob) => setSeen(await ask(networks.list, [{ path: 'camera', blob }]));
  }, [isFree, key]);
  return (
    <div class="try-panel">
      <p class="hint">
        Drop images anywhere on the page, paste one (Ctrl-V), or choose here; they stay on this machine.
      </p>
      <div class="row">
        <input
          id="try"
          class="hidden-input"
          type="file"
          accept="image/*"
          multiple
          onChange={(event) => {
            const chosen = pickedFiles(event.currentTarget.files);
            if (chosen.length > 0) pictures.value = chosen;
            event.currentTarget.value = '';
          }}
        />
        <label class="button small" for="try">
          Choose images
        </label>
        <Camera
          onPicture={(blob) => {
            pictures.value = [{ path: 'camera.jpg', blob }];
          }}
          onFrame={watch}
        >
          <AnswerList found={seen} index={0} what="camera" />
        </Camera>
      </div>
      {'why' in networks && <p class="hint">{networks.why}</p>}
      {!isFree && <p class="hint">{busyWords()}</p>}
      {isWaiting && <p class="hint">Predicting …</p>}
      {shown.map((file, i) => (
        <Tried key={`${file.path} ${i}`} file={file} found={found} index={i} />
      ))}
      {files.length > MOST && (
        <p class="hint">
          The first {MOST} of {files.length} images are shown.
        </p>
      )}
    </div>
  );
}

const busyWords = () =>
  isUnderWay.value ? 'The GPU is training: predictions come after the run.' : 'Predictions need WebGPU.';

function networksNow(): { list: TriedNetwork[] } | { why: string } {
  try {
    return { list: triedNetworks() };
  } catch (error) {
    return { why: explain(error) };
  }
}

/** One network after the other; one that cannot answer says why, the others go on. */
async function ask(networks: readonly TriedNetwork[], files: UserFile[]): Promise<Answers[]> {
  const all: Answers[] = [];
  for (const network of networks) {
    const { name } = network;
    if ('why' in network) {
      all.push({ name, why: network.why });
      continue;
    }
    try {
      const { predictions } = await engine().predict(network.source, files, { top: 5, ...network.options });
      all.push({ name, answers: predictions });
    } catch (error) {
      all.push({ name, why: explain(error) });
    }
  }
  return all;
}

function Tried({ file, found, index }: { file: UserFile; found: readonly Answers[]; index: number }) {
  const url = useMemo(() => URL.createObjectURL(file.blob), [file]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  const [isHidden, setHidden] = useState(false);
  return (
    <figure class="prediction">
      <figcaption dir="auto">{file.path}</figcaption>
      {!isHidden && <img src={url} alt={file.path} onError={() => setHidden(true)} />}
      <AnswerList found={found} index={index} what={file.path} />
    </figure>
  );
}

/** What each network says of one image, side by side. */
function AnswerList({ found, index, what }: { found: readonly Answers[]; index: number; what: string }) {
  return (
    <div class="answers">
      {found.map(({ name, why, answers }) => (
        <section key={name} aria-label={`${name}: ${what}`}>
          <h4>{name}</h4>
          {why ? <p class="hint">{why}</p> : answers?.[index] && <Bars answer={answers[index]} />}
        </section>
      ))}
    </div>
  );
}

function Bars({ answer }: { answer: Answer }) {
  if ('error' in answer) return <p class="error">{answer.error}</p>;
  return (
    <ol class="chances">
      {answer.top.map(({ class: name, probability }) => (
        <li key={name}>
          <span dir="auto">{name}</span>
          <span class="number">{percent(probability, 1)}</span>
          <i class="share" style={{ width: `${100 * probability}%` }} />
        </li>
      ))}
    </ol>
  );
}

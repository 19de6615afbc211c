/** The merged network as an ONNX file, written when it is asked for. */
import { useState } from 'preact/hooks';
import type { TrainResult } from '../../api';
import { engine, explain } from '../engine';
import { download } from '../files';

const CHOICES = {
  preprocessing: 'takes pixels from 0 to 255 and normalises them itself',
  softmax: 'gives probabilities instead of logits',
  fold: 'batch norms folded into the convolutions',
};
type Choice = keyof typeof CHOICES;

/** @param isHeldBack the merge is not proven, and the user has not said to take it all the same */
export function OnnxFile({ trained, isHeldBack }: { trained: TrainResult; isHeldBack: boolean }) {
  const [chosen, setChosen] = useState<Partial<Record<Choice, boolean>>>({});
  const [state, setState] = useState<{ isWriting?: boolean; said?: string; error?: string }>({});
  const write = async () => {
    setState({ isWriting: true });
    try {
      const files = [{ path: 'merged.safetensors', blob: new Blob([trained.merged]) }];
      const { bytes, proof } = await engine().exportOnnx({ kind: 'file', files }, chosen);
      download('merged.onnx', bytes, 'application/octet-stream');
      setState({
        said: `Read again and compared on ${proof.images} images: the largest difference is ${proof.maxRelLogitDiff.toExponential(1)} of the largest logit.`,
      });
    } catch (error) {
      setState({ error: explain(error) });
    }
  };
  return (
    <li>
      <button
        type="button"
        class="button small"
        disabled={isHeldBack || state.isWriting}
        onClick={() => void write()}
      >
        {state.isWriting ? 'Writing merged.onnx' : 'merged.onnx'}
      </button>
      <span class="hint">
        the merged network as an ONNX model, for onnxruntime and others
        <details class="onnx-choices">
          <summary>Options</summary>
          {(Object.keys(CHOICES) as Choice[]).map((choice) => (
            <label key={choice}>
              <input
                type="checkbox"
                checked={chosen[choice] ?? false}
                onChange={(event) => setChosen({ ...chosen, [choice]: event.currentTarget.checked })}
              />{' '}
              {CHOICES[choice]}
            </label>
          ))}
        </details>
        <span role="status">{state.said}</span>
        {state.error && <span class="error">{state.error}</span>}
      </span>
    </li>
  );
}

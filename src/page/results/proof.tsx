/** The certificate of a merge: what was compared, how far it was off, and which file it is about. */
import type { Report } from '../../api';
import { count, percent, significant } from '../format';

/** @param isGain a proof is no reason to be glad of a network that is no better */
export function Proof({ report, isGain }: { report: Report; isGain: boolean }) {
  const { proof, sha256 } = report;
  const same = ([before, after]: [number, number], what: string) =>
    before === after
      ? `${count(after)} ${what}, unchanged by the merge`
      : `${count(after)} ${what}, where there were ${count(before)}`;
  const hash = sha256.out['merged.safetensors'];
  return (
    <section
      class={`proof ${proof.ok ? (isGain ? 'ok' : 'neutral') : 'failed'}`}
      aria-labelledby="proof-title"
    >
      <h3 id="proof-title">{proof.ok ? 'The merge is proven' : 'The merge is not proven'}</h3>
      <p>
        {proof.images === 0 ? (
          'No GPU was left to compare the merged network with the trained one on; evaluate the file before you use it.'
        ) : (
          <>
            The written file, read back into the plain network, gives logits that differ from the trained
            network’s by at most <b>{significant(proof.maxAbsLogitDiff)}</b> (
            {significant(proof.maxRelLogitDiff)} relative) on {count(proof.images)} images; the predicted
            class agrees on <b>{percent(proof.top1Agreement)}</b> of them.
          </>
        )}
      </p>
      <ul>
        <li>{same(proof.parameters, 'parameters')}</li>
        <li>{same(proof.multiplyAdds, 'multiply-adds an image')}</li>
        {hash && (
          <li>
            merged.safetensors, SHA-256 <code>{hash}</code>
          </li>
        )}
      </ul>
      {Object.entries(sha256.in).map(([name, sum]) => (
        <p key={name} class="hint">
          Made of <span dir="auto">{name}</span>, SHA-256 <code>{sum}</code>
        </p>
      ))}
    </section>
  );
}

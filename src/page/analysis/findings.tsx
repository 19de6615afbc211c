/** What an analysis found, at a glance; its report has all layers, curves and what each figure does not say. */
import type { ComponentChildren } from 'preact';
import type { Analysis } from '../../api';
import { headlines } from '../../report/analysis/headlines';
import { cellsSvg, contoursSvg, lossScale, type Scale, UNIT_SCALE } from '../../report/analysis/matrix';
import type { Html } from '../../report/html';
import { type AnalysisName, analyses } from '../../run/analyse/options';
import { significant } from '../format';

export function Findings({ analysis }: { analysis: Analysis }) {
  const { networks, results, stopped, failures } = analysis;
  const { columns, rows } = headlines(analysis);
  return (
    <>
      {stopped && <p class="hint">Stopped: what was made until then is here.</p>}
      {Object.entries(failures).map(([name, why]) => (
        <p key={name} class="error">
          {analyses[name as AnalysisName].label}: {why}
        </p>
      ))}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section class="scroll" tabIndex={0} aria-label="Figures of the networks">
        <table>
          <thead>
            <tr>
              {columns.map(({ name, help }, c) => (
                <th key={name} scope="col" class={c > 0 ? 'number' : undefined} title={help}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([first, ...cells], i) => (
              <tr key={i}>
                <th scope="row">{first}</th>
                {cells.map((cell, c) => (
                  <td key={columns[c + 1].name} class="number">
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <div class="analysis-pictures">
        {results.similarity?.matrices.slice(1).map((matrix, i) => {
          const name = `Likeness of features: ${networks[0].name} (down), ${networks[i + 1].name} (across)`;
          const scale = UNIT_SCALE;
          return <Picture key={name} svg={cellsSvg(matrix, name, scale)} name={name} scale={scale} />;
        })}
        {results.landscape?.grid?.losses.map((surface, i, all) => {
          const name = `Loss around ${networks[i].name}`;
          const scale = lossScale(all.flat(2));
          return <Picture key={name} svg={contoursSvg(surface, name, scale)} name={name} scale={scale} />;
        })}
      </div>
      <p class="hint">analysis.html has every layer, curve and table, and says what each does not show.</p>
    </>
  );
}

/** A picture as a picture: nothing in it becomes a part of the page. */
function Picture({ svg, name, scale }: { svg: Html; name: string; scale: Scale }): ComponentChildren {
  const text = svg.text.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ');
  return (
    <figure>
      <img src={`data:image/svg+xml,${encodeURIComponent(text)}`} alt={name} />
      <figcaption>
        {name}: {significant(scale.low)} dark, {significant(scale.high)} and more light.
      </figcaption>
    </figure>
  );
}

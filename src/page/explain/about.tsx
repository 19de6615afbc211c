/** What RefConv is, and what is true of it. */
import { asked, measured, paperRows } from './claims';

export function About() {
  return (
    <div class="about">
      <section class="prose-column">
        <h4>The idea</h4>
        <p>
          A convolution of a trained network has a kernel W_b. RefConv (“re-parameterised refocusing
          convolution”) freezes it and trains a second set of weights instead, the map W_r. In each step the
          map makes the kernel that the layer really uses:
        </p>
        <p class="formula">W_t = W_b + conv2d(W_b, W_r)</p>
        <p>
          Here the kernels of the layer are treated as if they were an image with one channel for each kernel.
          The map is a convolution over that image. In a depthwise layer, the main case, every new kernel is
          the old one plus a mixture of all kernels of its layer, shifted and weighted; in a dense layer, as
          of a ResNet, each plane has a map of its own and reads no other. The map works on weights, once a
          step, never on pictures. When training is over, W_t is computed a last time and written in the place
          of W_b; the map is no longer needed. Batch norms, 1×1 convolutions and the classifier train all the
          while as in fine-tuning.
        </p>
        <h4>What the authors report</h4>
        <p>
          Top-1 accuracy on ImageNet, in per cent. These are <b>their figures</b>, from the paper (arXiv
          2310.10563) and their answers to its reviewers; nobody here has repeated them.
        </p>
        <PaperTable />
        <p>
          They also claim that kernels of a layer become less alike, that the loss landscape becomes smoother,
          that kernels get a stronger skeleton, and gains in detection, segmentation and against adversarial
          images.
        </p>
      </section>
      <section class="prose-column">
        <h4>What we have measured</h4>
        <p>
          <b>Our figures</b>, each with the command that repeats it in a checkout of Refocus. Of one seed they
          show what can happen, not what usually does. <a href="findings.html">Findings over several seeds</a>
          , with intervals and pictures, have a page of their own.
        </p>
        <dl class="measured">
          {measured.map(({ what, figure, command }) => (
            <div key={what}>
              <dt>{what}</dt>
              <dd>
                {figure}
                <code>{command}</code>
              </dd>
            </div>
          ))}
        </dl>
      </section>
      <section class="sceptics">
        <h4>What sceptics ask</h4>
        <dl class="asked">
          {asked.map(({ question, answer }) => (
            <div key={question}>
              <dt>{question}</dt>
              <dd>{answer}</dd>
            </div>
          ))}
        </dl>
      </section>
    </div>
  );
}

function PaperTable() {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label="The authors’ figures">
      <table>
        <thead>
          <tr>
            <th scope="col">Network</th>
            <th scope="col" class="number">
              Base
            </th>
            <th scope="col" class="number">
              Fine-tuned as long
            </th>
            <th scope="col" class="number">
              RefConv
            </th>
          </tr>
        </thead>
        <tbody>
          {paperRows.map(([model, ...figures]) => (
            <tr key={model}>
              <th scope="row">{model}</th>
              {figures.map((figure, i) => (
                <td class="number" key={i}>
                  {figure}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Long names of layers and shaders. */
import { Fragment } from 'preact';

/** A name that wraps after its dots, slashes and underscores, not within a word. */
export const breakable = (name: string) =>
  name.split(/(?<=[./_])/).map((part, i) => (
    <Fragment key={i}>
      {i > 0 && <wbr />}
      {part}
    </Fragment>
  ));

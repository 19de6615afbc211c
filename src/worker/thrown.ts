/** How errors cross between the engine's worker and its page: both ends import this. */
import * as Comlink from 'comlink';
import { asUserError, type ErrorCopy, UserError } from '../errors';

interface Thrown {
  isError: boolean;
  value: ErrorCopy;
}

// Comlink makes a plain Error of every one that is thrown; a UserError stays one by its name, and keeps its remedy
const plain = Comlink.transferHandlers.get('throw') as Comlink.TransferHandler<unknown, Thrown>;
Comlink.transferHandlers.set('throw', {
  ...plain,
  serialize(thrown) {
    const [serialized, transferables] = plain.serialize(thrown);
    const { value } = thrown as { value: unknown };
    if (value instanceof UserError) serialized.value.remedy = value.remedy;
    return [serialized, transferables];
  },
  deserialize(serialized: Thrown) {
    const known = serialized.isError && asUserError(serialized.value);
    if (known) throw known;
    return plain.deserialize(serialized);
  },
});

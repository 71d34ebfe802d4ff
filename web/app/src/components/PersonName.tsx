// A person's name, which may come later than the id.

import { usePerson } from '../model/use';

export function PersonName({ id }: { id: string }) {
  return <>{usePerson(id)}</>;
}

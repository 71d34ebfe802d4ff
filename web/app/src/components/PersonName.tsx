// A person's name, which may come later than the id. Written in its own direction, whatever stands around it.

import { usePerson } from '../model/use';

export function PersonName({ id }: { id: string }) {
  return <bdi>{usePerson(id)}</bdi>;
}

// What a name and a password may be, before they are sent; and which field an answer of the node is about. Pure.

import { LIMITS } from '@hubbub/sdk';

export const USERNAME_BYTES_MIN = 2;
export type SignField = 'name' | 'display' | 'password';
export interface SignForm { name: string; display: string; password: string }

const bytes = (text: string): number => new TextEncoder().encode(text).length;

/** The first field that cannot be right, with a sentence for it. To sign in, only that there is something: older rules may have been others. */
export function checked({ name, display, password }: SignForm, signup: boolean): { field: SignField; text: string } | null {
  if (!name) return { field: 'name', text: 'Write your user name.' };
  if (!password) return { field: 'password', text: signup ? 'Choose a password.' : 'Write your password.' };
  if (!signup) return null;
  const { USERNAME_BYTES_MAX: most, PASSWORD_BYTES_MIN, PASSWORD_BYTES_MAX, NAME_BYTES_MAX } = LIMITS;
  const least = USERNAME_BYTES_MIN;
  if (bytes(display) > NAME_BYTES_MAX) return { field: 'display', text: 'That name is too long: shorten it.' };
  if (!/^[a-z0-9._-]+$/i.test(name)) return { field: 'name', text: 'Only letters a–z, digits, dots, dashes and underscores, please.' };
  if (!/^[a-z0-9]/i.test(name)) return { field: 'name', text: 'Begin with a letter or a digit.' };
  if (name.length < least || name.length > most) return { field: 'name', text: `Take ${least} to ${most} characters.` };
  if (bytes(password) < PASSWORD_BYTES_MIN) return { field: 'password', text: `That is too short: take at least ${PASSWORD_BYTES_MIN} characters.` };
  if (bytes(password) > PASSWORD_BYTES_MAX) return { field: 'password', text: `That is too long: take at most ${PASSWORD_BYTES_MAX} characters.` };
  return null;
}

/** The node's sentences begin with what they are about. */
export function fieldOf(error: unknown): SignField | null {
  const { code, message = '' } = error as { code?: string; message?: string };
  if (code === 'name_taken') return 'name';
  if (code !== 'bad_request') return null;
  return /^a user name\b/.test(message) ? 'name' : /^a password\b/.test(message) ? 'password' : /^a name\b/.test(message) ? 'display' : null;
}

// What a name and a password may be, before they are sent; and which field an answer of the node is about. Pure but for the language of the page.

import { LIMITS } from '@hubbub/sdk';
import { say } from '../words';

export const USERNAME_BYTES_MIN = 2;
export type SignField = 'name' | 'display' | 'password';
export interface SignForm { name: string; display: string; password: string }

/** Characters that hide, reorder or fake text: the node refuses them in names. */
const TREACHEROUS = /[\p{Cc}\u00AD\u061C\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/u;

const bytes = (text: string): number => new TextEncoder().encode(text).length;

/** The first field that cannot be right, with a sentence for it. To sign in, only that there is something: older rules may have been others. */
export function checked({ name, display, password }: SignForm, signup: boolean): { field: SignField; text: string } | null {
  if (!name) return { field: 'name', text: say('sign.writeName') };
  if (!password) return { field: 'password', text: say(signup ? 'sign.choosePassword' : 'sign.writePassword') };
  if (!signup) return null;
  const { USERNAME_BYTES_MAX: most, PASSWORD_BYTES_MIN, PASSWORD_BYTES_MAX, NAME_BYTES_MAX } = LIMITS;
  const least = USERNAME_BYTES_MIN;
  if (bytes(display) > NAME_BYTES_MAX) return { field: 'display', text: say('sign.displayLong') };
  if (TREACHEROUS.test(display)) return { field: 'display', text: say('sign.displayInvisible') };
  if (!/^[a-z0-9._-]+$/i.test(name)) return { field: 'name', text: say('sign.charset') };
  if (!/^[a-z0-9]/i.test(name)) return { field: 'name', text: say('sign.firstLetter') };
  if (name.length < least || name.length > most) return { field: 'name', text: say('sign.nameLength', { least, most }) };
  if (bytes(password) < PASSWORD_BYTES_MIN) return { field: 'password', text: say('sign.passwordShort', { least: PASSWORD_BYTES_MIN }) };
  if (bytes(password) > PASSWORD_BYTES_MAX) return { field: 'password', text: say('sign.passwordLong', { most: PASSWORD_BYTES_MAX }) };
  if (password.toLowerCase() === name.toLowerCase()) return { field: 'password', text: say('sign.passwordName') };
  return null;
}

/** The node's sentences begin with what they are about. */
export function fieldOf(error: unknown): SignField | null {
  const { code, message = '' } = error as { code?: string; message?: string };
  if (code === 'name_taken') return 'name';
  if (code !== 'bad_request') return null;
  return /^a user name\b/.test(message) ? 'name' : /^a password\b/.test(message) ? 'password' : /^a name\b/.test(message) ? 'display' : null;
}

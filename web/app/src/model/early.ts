// Imported before everything else: the disk is read, and the words are fetched, while the rest of the program is still being set up. Reads only.

import { openWords } from '../words';
import { Cache } from './cache';

export const cache = new Cache();
/** What this browser kept; undefined when nobody is signed in. Read once, at the start. */
export const kept = cache.kept().catch(() => undefined);
/** Nothing can be said before. */
export const words = openWords();

/** Words of the part `history`. */
import { addTexts } from './index.svelte';
import de from './history/de.json';
import en from './history/en.json';

addTexts({ en, de });

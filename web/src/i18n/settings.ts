/** Words of the part `settings`. */
import { addTexts } from './index.svelte';
import de from './settings/de.json';
import en from './settings/en.json';

addTexts({ en, de });

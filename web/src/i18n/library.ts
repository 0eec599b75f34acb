/** Words of the part `library`. */
import { addTexts } from './index.svelte';
import de from './library/de.json';
import en from './library/en.json';

addTexts({ en, de });

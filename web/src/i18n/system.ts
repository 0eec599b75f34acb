/** Words of the part `system`. */
import { addTexts } from './index.svelte';
import de from './system/de.json';
import en from './system/en.json';

addTexts({ en, de });

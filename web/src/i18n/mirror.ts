/** Words of the part `mirror`. */
import { addTexts } from './index.svelte';
import de from './mirror/de.json';
import en from './mirror/en.json';

addTexts({ en, de });

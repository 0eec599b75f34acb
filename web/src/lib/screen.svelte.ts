/** What kind of screen this is. */
import { MediaQuery } from 'svelte/reactivity';

/** Below 640 px rows become cards. */
export const phone = new MediaQuery('max-width: 639px');

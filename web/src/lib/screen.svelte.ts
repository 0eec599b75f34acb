/** What kind of screen this is. */
import { MediaQuery } from 'svelte/reactivity';

/** Below 640 px rows become cards. */
export const phone = new MediaQuery('max-width: 639px');

/** From 1100 px a job has room beside the list. */
export const wide = new MediaQuery('min-width: 1100px');

/** From 1900 px the list keeps all its columns beside a job. */
export const huge = new MediaQuery('min-width: 1900px');

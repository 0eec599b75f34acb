/** Where the Hub's own pages are, for links that leave this service. */
import { api } from '../api/client';

let url = $state('https://huggingface.co');
let asked = false;

export const hub = {
  get url() {
    if (!asked) {
      asked = true;
      api.settings().then(
        (settings) => {
          if (settings.endpoint !== '') url = settings.endpoint;
        },
        () => {
          asked = false;
        },
      );
    }
    return url;
  },
};

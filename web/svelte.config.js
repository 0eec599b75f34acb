export default {
  compilerOptions: {
    runes: true,
    // Styles go into the one style sheet: the Content-Security-Policy refuses injected ones.
    css: 'external',
    // Said again on purpose: on a phone rows are grids, and a browser then forgets that they are rows.
    warningFilter: (warning) => warning.code !== 'a11y_no_redundant_roles',
  },
};

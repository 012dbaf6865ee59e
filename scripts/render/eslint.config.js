import js from '@eslint/js';

// Plain JavaScript with packages of its own: the typed rules of the repository have nothing to read here.
export default [
  js.configs.recommended,
  { languageOptions: { globals: { Buffer: 'readonly', console: 'readonly', process: 'readonly' } } },
];

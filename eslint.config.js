import js from '@eslint/js';
import tseslint from 'typescript-eslint';

// Layering: data flows one way through the folders, and the pure ones do no I/O and read no clock.
const pureFolders = ['plan', 'measure', 'judge', 'report', 'redact'];
const ioModules = [
  'node:fs',
  'node:fs/*',
  'node:child_process',
  'node:http',
  'node:https',
  'node:net',
  'node:os',
  'node:timers',
  'node:timers/*',
];
const actions = { group: ['@actions/*'], message: 'Only src/github/ talks to the runner.' };
const upstream = {
  config: ['plan', 'ready', 'coder', 'run', 'measure', 'judge', 'report', 'github'],
  plan: ['ready', 'coder', 'run', 'measure', 'judge', 'report', 'github'],
  coder: ['plan', 'ready', 'run', 'measure', 'judge', 'report', 'github', 'config'],
  ready: ['run', 'measure', 'judge', 'report', 'github'],
  run: ['measure', 'judge', 'report', 'github', 'config'],
  load: ['plan', 'ready', 'run', 'measure', 'judge', 'report', 'github', 'config'],
  measure: ['ready', 'coder', 'run', 'judge', 'report', 'github'],
  judge: ['ready', 'coder', 'run', 'report', 'github'],
  report: ['coder', 'run', 'github'],
  github: ['plan', 'ready', 'coder', 'run', 'measure', 'judge', 'report', 'config'],
  redact: ['config', 'plan', 'ready', 'coder', 'run', 'measure', 'judge', 'report', 'github'],
};

const layer = (folder) => {
  const patterns = [
    ...(folder === 'github' ? [] : [actions]),
    {
      group: upstream[folder].map((other) => `**/${other}/**`),
      message: `src/${folder}/ may not reach into this folder: data flows one way.`,
    },
  ];
  if (pureFolders.includes(folder)) {
    patterns.push({ group: ioModules, message: `src/${folder}/ is pure: no I/O.` });
  }
  return {
    files: [`src/${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': ['error', { patterns }],
      ...(pureFolders.includes(folder) && {
        'no-restricted-globals': ['error', 'fetch', 'process', 'setTimeout', 'setInterval', 'performance'],
        'no-restricted-syntax': [
          'error',
          {
            selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
            message: 'Pure folders read no clock.',
          },
          {
            selector: "NewExpression[callee.name='Date'][arguments.length=0]",
            message: 'Pure folders read no clock.',
          },
        ],
      }),
    },
  };
};

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', 'scaletest-results/'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { project: ['./tsconfig.dev.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/prefer-nullish-coalescing': 'error',
      '@typescript-eslint/consistent-type-assertions': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'max-lines': ['error', { max: 260, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [actions] }],
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
    },
  },
  ...Object.keys(upstream).map(layer),
  { files: ['src/index.ts'], rules: { 'no-restricted-imports': 'off' } },
  {
    files: ['**/*.js', '**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: {
      ...tseslint.configs.disableTypeChecked.languageOptions,
      globals: { console: 'readonly', process: 'readonly' },
    },
  },
  {
    files: ['__tests__/**', 'simulator/**', 'real/**', 'bench/**', 'scripts/**'],
    rules: {
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/require-await': 'off',
    },
  },
);

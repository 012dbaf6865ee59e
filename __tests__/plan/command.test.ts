import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWorkspacesCommand, dashboardBrowserCommand } from '../../src/plan/command.js';
import { explainSkip, hasRecordings, sharedJson } from '../support/shared.js';
import { browserStepWith, stepOf } from '../support/plans.js';

explainSkip('flags of the planned commands');

const FULL = stepOf({
  count: 700,
  concurrency: 100,
  retries: 2,
  owner: 'token-user',
  parameters: { region: 'eu-west-1', size: 'large' },
  resultFile: '/tmp/raw/create-workspaces.pod_workspaces.json',
});

describe('the command of create-workspaces', () => {
  it('has exactly these arguments', () => {
    expect(createWorkspacesCommand(stepOf({ resultFile: '/tmp/raw/r.json' }))).toEqual([
      'coder',
      'exp',
      'scaletest',
      'create-workspaces',
      '--count=100',
      '--template=pod-swdev',
      '--concurrency=10',
      '--timeout=30m',
      '--job-timeout=10m',
      '--no-cleanup',
      '--output=json:/tmp/raw/r.json',
    ]);
  });

  it('has these where everything is configured', () => {
    expect(createWorkspacesCommand(FULL)).toEqual([
      'coder',
      'exp',
      'scaletest',
      'create-workspaces',
      '--count=700',
      '--template=pod-swdev',
      '--concurrency=100',
      '--timeout=30m',
      '--job-timeout=10m',
      '--retry=2',
      '--use-host-login',
      '--parameter=region=eu-west-1',
      '--parameter=size=large',
      '--no-cleanup',
      '--output=json:/tmp/raw/create-workspaces.pod_workspaces.json',
    ]);
  });

  it.each([
    ['a,b', '--parameter="list=a,b"'],
    ['say "hi"', '--parameter="list=say ""hi"""'],
    ['two\nlines', '--parameter="list=two\nlines"'],
    ['["a","b"]', '--parameter="list=[""a"",""b""]"'],
    ['a b;$(c)', '--parameter=list=a b;$(c)'],
    ['', '--parameter=list='],
  ])('quotes the value %j as CSV', (value, argument) => {
    expect(createWorkspacesCommand(stepOf({ parameters: { list: value } }))).toContain(argument);
  });

  it('quotes a comma in the file that the result goes to', () => {
    const command = createWorkspacesCommand(stepOf({ resultFile: '/tmp/a,b/r.json' }));
    expect(command).toContain('--output="json:/tmp/a,b/r.json"');
  });

  it('gives every parameter back to a CSV reader as one field', () => {
    const name = fc.stringMatching(/^[a-z][a-z_]{0,8}$/).filter((text) => !(text in {}));
    const value = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('"', ',', '\n', 'a', ' ') }));
    fc.assert(
      fc.property(fc.dictionary(name, value, { maxKeys: 4 }), (parameters) => {
        const given = createWorkspacesCommand(stepOf({ parameters }))
          .filter((argument) => argument.startsWith('--parameter='))
          .map((argument) => readCsv(argument.slice('--parameter='.length)));
        expect(given).toEqual(Object.entries(parameters).map(([key, text]) => [`${key}=${text}`]));
      }),
    );
  });
});

/** The fields of one CSV record (RFC 4180), as Go's encoding/csv reads them. */
function readCsv(text: string): string[] {
  const fields: string[] = [];
  let rest = text;
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"(?=,|$)/.exec(rest);
    const plain = /^[^,"\n]*(?=,|$)/.exec(rest);
    const match = quoted ?? plain;
    if (match === null) throw new Error(`no CSV: ${text}`);
    fields.push(quoted ? (quoted[1] ?? '').replaceAll('""', '"') : match[0]);
    if (match[0].length === rest.length) return fields;
    rest = rest.slice(match[0].length + 1);
  }
}

interface Flag {
  type: string;
  since: string;
  removed_in?: string;
}
interface Era {
  same_flags_as_releases: string[];
  commands: Record<string, { since: string; removed_in?: string; flags: Record<string, Flag> } | undefined>;
}

const number = (version: string): number => {
  const [major = 0, minor = 0, patch = 0] = version.replace(/^v/, '').split('.').map(Number);
  return (major * 1000 + minor) * 1000 + patch;
};
const isThere = (
  { since, removed_in: removed }: { since: string; removed_in?: string },
  version: string,
): boolean =>
  /^v\d/.test(since) &&
  number(since) <= number(version) &&
  (removed === undefined || number(version) < number(removed));

/** Of a release: the era that names it, else all eras together. */
function flagsOf(command: string, version: string): Map<string, Flag> {
  const eras = Object.values(sharedJson('reference/coder-cli-eras.json') as Record<string, Era>);
  const minor = version.split('.').slice(0, 2).join('.');
  const own = eras.filter((era) => era.same_flags_as_releases.includes(minor));
  const found = new Map<string, Flag>();
  for (const era of own.length > 0 ? own : eras) {
    for (const [name, flag] of Object.entries(era.commands[command]?.flags ?? {}))
      if (isThere(flag, version)) found.set(name, flag);
  }
  return found;
}

describe.runIf(hasRecordings)('against the flags of real releases', () => {
  it.each([
    ['v2.21.3', createWorkspacesCommand(FULL)],
    ['v2.29.0', createWorkspacesCommand(FULL)],
    ['v2.32.0', createWorkspacesCommand(FULL)],
    ['v2.36.0', createWorkspacesCommand(FULL)],
    ['v2.7.0', dashboardBrowserCommand(browserStepWith())],
    ['v2.15.0', dashboardBrowserCommand(browserStepWith())],
    ['v2.21.3', dashboardBrowserCommand(browserStepWith())],
    ['v2.36.0', dashboardBrowserCommand(browserStepWith())],
  ])('%s knows every flag that is passed', (version, command) => {
    const known = flagsOf(command[3] ?? '', version);
    expect(known.size).toBeGreaterThan(10);
    for (const argument of command.slice(4)) {
      const [, name = '', value] = /^--([^=]+)(?:=(.*))?$/s.exec(argument) ?? [];
      expect([...known.keys()], argument).toContain(name);
      // Booleans take no value, everything else needs one.
      expect(value === undefined, argument).toBe(known.get(name)?.type === 'bool');
    }
  });
});

it('no flag is one that only the guide knows, and none holds the token', () => {
  const invented = [
    '--cleanup',
    '--output-file',
    '--output=json',
    '--duration',
    '--test',
    '--token',
    '--yes',
  ];
  for (const argument of [...createWorkspacesCommand(FULL), ...dashboardBrowserCommand(browserStepWith())]) {
    expect(invented).not.toContain(argument);
    expect(argument).not.toMatch(/^--(cleanup|output-file|duration|test|token|yes)(=|$)/);
  }
});

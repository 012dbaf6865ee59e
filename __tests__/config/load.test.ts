import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { mistakesOf, messagesOf, placesOf } from '../support/mistakes.js';
import { explainSkip, guideConfig, hasRecordings } from '../support/shared.js';

explainSkip('the config of the guide');

const load = (text: string) => loadConfig('config.yaml', text).config;
const refusals = (text: string): string[] => messagesOf(() => load(text));
const places = (text: string): string[] => placesOf(() => load(text));

const GOOD = `create_workspaces:
  count: 10
  templates:
    pods:
      template: pod-swdev
      count: 10
      concurrency: 5
      expected_p95: 2m
`;

describe.runIf(hasRecordings)('the guide’s own file', () => {
  it('loads unchanged', () => {
    const config = load(guideConfig());
    expect(config.create_workspaces).toMatchObject({
      count: 1000,
      success_rate: 0.99,
      driver: 'auto',
      owner: 'scaletest-users',
      templates: {
        pod_workspaces: { template: 'pod-swdev', count: 700, concurrency: 100, expected_p95: 120 },
        ec2_workspaces: { template: 'ec2-datasci', count: 300, concurrency: 50, expected_p95: 300 },
      },
    });
    expect(config.dashboard).toMatchObject({
      concurrency: 50,
      duration: 300,
      targets: { p95_latency_ms: 500, p99_latency_ms: 1000 },
    });
    expect(config.workspace_traffic).toEqual({
      bytes_per_tick: 1024,
      tick_interval: 0.1,
      duration: 600,
      mode: 'web-terminal',
    });
  });
});

describe('what is allowed', () => {
  it('takes a version and keys of the user’s own', () => {
    const config = load(`version: 1\nx-team: platform\nx-list: [1, 2]\n${GOOD}`);
    expect(config.version).toBe(1);
  });

  it('follows anchors and aliases', () => {
    const text = `x-slow: &slow 5m\n${GOOD.replace('2m', '*slow')}`;
    expect(load(text).create_workspaces?.templates['pods']?.expected_p95).toBe(300);
  });

  it('keeps parameters as text, whatever YAML made of them', () => {
    const text = `${GOOD}      parameters: { region: eu-west-1, cpus: 4, gpu: true }\n`;
    expect(load(text).create_workspaces?.templates['pods']?.parameters).toEqual({
      region: 'eu-west-1',
      cpus: '4',
      gpu: 'true',
    });
  });

  it('reads criteria, also such as take one out', () => {
    const text = `${GOOD}criteria:
  - { id: queue, metric: a.b, expect: "p95 < 30s", warn: "p95 < 15s" }
  - { id: other, disabled: true, reason: not ours }
`;
    const [queue, other] = load(text).criteria;
    expect(queue).toMatchObject({ id: 'queue', warn: { threshold: 15 }, informational: false });
    expect(other).toEqual({ id: 'other', disabled: true, reason: 'not ours' });
  });
});

describe('what is refused, and where', () => {
  it.each([
    ['at the top', `${GOOD}dashbord: {}\n`, 'unknown key "dashbord"; did you mean "dashboard"?', '9:1'],
    [
      'in the suite',
      GOOD.replace('  count: 10\n', '  count: 10\n  sucess_rate: "99%"\n'),
      'unknown key "sucess_rate" in create_workspaces; did you mean "success_rate"?',
      '3:3',
    ],
    [
      'in a group',
      `${GOOD}      concurency: 5\n`,
      'unknown key "concurency" in create_workspaces.templates.pods; did you mean "concurrency"?',
      '9:7',
    ],
    [
      'in the targets',
      `${GOOD}dashboard: { concurrency: 1, duration: 1m, targets: { p95: 500 } }\n`,
      'unknown key "p95" in dashboard.targets; there is "p95_latency_ms", "p99_latency_ms"',
      '9:55',
    ],
    [
      'in a criterion',
      `${GOOD}criteria:\n  - { id: a, metric: b, expect: "max < 1s", infromational: true }\n`,
      'unknown key "infromational" in criteria.0; did you mean "informational"?',
      '10:45',
    ],
    ['that is too new', `version: 1\nx: 1\n${GOOD}`, 'unknown key "x"', '2:1'],
  ])('an unknown key %s', (_, text, message, place) => {
    expect(refusals(text)).toEqual([expect.stringContaining(message) as string]);
    expect(places(text)).toEqual([place]);
  });

  it('a key far from all others: lists what there is', () => {
    expect(refusals(`${GOOD}load: { direct: true }\n`)).toEqual([
      expect.stringMatching(/load.proxy/),
      'unknown key "direct" in load; there is "proxy"',
    ]);
  });

  it('counts that do not add up', () => {
    const text = GOOD.replace('count: 10', 'count: 12');
    expect(refusals(text)).toEqual([
      'create_workspaces.count is 12, but the groups add up to 10 (10); make them agree',
    ]);
    expect(places(text)).toEqual(['2:10']);
  });

  it('more at once than there is', () => {
    const text = GOOD.replace('count: 10\n', 'count: 10\n  simultaneous: 11\n');
    expect(refusals(text)).toEqual([
      expect.stringMatching(
        /simultaneous is 11, but only 10 workspaces are planned; lower it, or raise count/,
      ),
    ]);
    expect(places(text)).toEqual(['3:17']);
  });

  it('two groups of one template', () => {
    const text = `${GOOD.replace('count: 10\n', 'count: 11\n')}    more: { template: pod-swdev, count: 1, concurrency: 1, expected_p95: 2m }\n`;
    expect(refusals(text)).toEqual([expect.stringMatching(/groups "pods" and "more" use the same template/)]);
    expect(places(text)).toEqual(['9:23']);
  });

  it('a group called like all of them', () => {
    expect(refusals(GOOD.replace('pods:', 'all:'))).toEqual([
      expect.stringMatching(/cannot be called "all"/),
    ]);
  });

  it('a criterion id twice', () => {
    const entry = '  - { id: a, metric: b, expect: "max < 1s" }\n';
    const text = `${GOOD}criteria:\n${entry}${entry}`;
    expect(refusals(text)).toEqual(['the criterion id "a" is used twice']);
    expect(places(text)).toEqual(['11:11']);
  });

  it.each([
    [
      'a count that is text',
      'count: 10\n  t',
      'count: ten\n  t',
      /create_workspaces.count: a whole number/,
      '2:10',
    ],
    [
      'a fraction of a workspace',
      'concurrency: 5',
      'concurrency: 2.5',
      /concurrency: a whole number/,
      '7:20',
    ],
    ['nothing at once', 'concurrency: 5', 'concurrency: 0', /concurrency: at least 1/, '7:20'],
    ['a duration without unit', '2m', '120', /expected_p95: a duration with a unit/, '8:21'],
    ['a duration that is none', '2m', '2 minutes', /"2 minutes" is no duration/, '8:21'],
    ['a duration of zero', '2m', '0s', /a duration above zero/, '8:21'],
    ['a template that is a list', 'pod-swdev', '[a]', /template: a name is needed/, '5:17'],
    ['a template with a slash', 'pod-swdev', 'a/b', /a name has letters, digits/, '5:17'],
    ['a template with a line break', 'pod-swdev', '"a\\nb"', /a name has letters, digits/, '5:17'],
  ])('%s', (_, from, to, message, place) => {
    const text = GOOD.replace(from, to);
    expect(refusals(text)).toEqual([expect.stringMatching(message)]);
    expect(places(text)).toEqual([place]);
  });

  it('a key that is missing, at the object that lacks it', () => {
    const text = GOOD.replace('      concurrency: 5\n', '');
    expect(refusals(text)).toEqual([expect.stringMatching(/templates.pods.concurrency: /)]);
    expect(places(text)).toEqual(['5:7']);
  });

  it('another version', () => {
    expect(refusals(`version: 2\n${GOOD}`)).toEqual(['version: the only version is 1']);
    expect(places(`version: 2\n${GOOD}`)).toEqual(['1:10']);
  });

  it.each(['"1"', 'yes', '1.5'])('the version %s', (version) => {
    expect(refusals(`version: ${version}\n${GOOD}`)).toEqual(['version: the only version is 1']);
  });

  it('a share above one', () => {
    const text = GOOD.replace('count: 10\n', 'count: 10\n  success_rate: 99\n');
    expect(refusals(text)).toEqual([expect.stringMatching(/success_rate: "99" is no share/)]);
    expect(places(text)).toEqual(['3:17']);
  });

  it('no groups at all', () => {
    const text = 'create_workspaces: { count: 1, templates: {} }\n';
    expect(refusals(text)).toEqual([expect.stringMatching(/at least one group of workspaces is needed/)]);
  });

  it.each([
    ['expect: "p95 < 2x"', '10:40'],
    ["expect: 'p95 < 2x'", '10:40'],
    ['expect: p95 < 2x', '10:39'],
  ])('an expectation, at its wrong part: %s', (expectation, place) => {
    const text = `${GOOD}criteria:\n  - { id: a, metric: b, ${expectation} }\n`;
    expect(refusals(text)).toEqual([expect.stringMatching(/criteria.0.expect: "2x" is no quantity/)]);
    expect(places(text)).toEqual([place]);
  });

  it('a criterion that is taken out without a reason', () => {
    const text = `${GOOD}criteria:\n  - { id: a, disabled: true }\n`;
    expect(refusals(text)).toEqual([expect.stringMatching(/criteria.0.reason: .*needs a reason/)]);
  });

  it('several mistakes at once, each at its place', () => {
    const text = GOOD.replace('count: 10\n', 'count: ten\n')
      .replace('concurrency: 5', 'concurency: 5')
      .replace('2m', '2');
    expect(places(`version: 3\n${text}`).sort()).toEqual(['1:10', '3:10', '6:7', '8:7', '9:21'].sort());
  });
});

describe('files that are no config', () => {
  it('duplicate keys are an error at the second one', () => {
    const text = `${GOOD}      count: 10\n`;
    expect(refusals(text)).toEqual([expect.stringMatching(/cannot be read.*unique/)]);
    expect(places(text)).toEqual(['9:7']);
  });

  it.each([
    ['a list that does not end', 'create_workspaces: [1, 2\n'],
    ['a tab for indentation', 'create_workspaces:\n\tcount: 1\n'],
    ['quotes that do not end', 'x-a: "abc\n'],
    ['two documents', `${GOOD}---\n${GOOD}`],
  ])('unreadable YAML has a place: %s', (_, text) => {
    expect(refusals(text)[0]).toMatch(/the YAML cannot be read/);
    expect(places(text)[0]).toMatch(/^\d+:\d+$/);
  });

  it('an alias bomb is refused at once', () => {
    const lines = ['x-a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]'];
    for (let level = 1; level < 12; level += 1)
      lines.push(`x-a${level}: &a${level} [${Array.from({ length: 9 }, () => `*a${level - 1}`).join(', ')}]`);
    const began = performance.now();
    expect(refusals(lines.join('\n'))).toEqual([expect.stringMatching(/too many aliases/)]);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it('a huge file is refused', () => {
    expect(refusals(`x-a: ${'a'.repeat(1_100_000)}`)).toEqual([expect.stringMatching(/larger than 1 MiB/)]);
  });

  it.each([
    ['an empty file', ''],
    ['only comments', '# nothing\n'],
    ['a list', '- 1\n'],
    ['a text', 'hello\n'],
  ])('%s is refused with one mistake at a place', (_, text) => {
    expect(places(text)).toHaveLength(1);
    expect(mistakesOf(() => load(text))[0]?.location).toMatchObject({ file: 'config.yaml', line: 1 });
  });

  it.each([
    ['an empty file', ''],
    ['a list', '- 1\n'],
    ['a section that is a number', `${GOOD}dashboard: 5\n`],
    ['a group that is a text', GOOD.replace(/pods:[\s\S]*/, 'pods: many\n')],
    ['a profile without content', `${GOOD}profiles:\n  later:\n`],
  ])('%s is not called a missing key', (_, text) => {
    expect(refusals(text).join()).not.toMatch(/this key is required/);
  });

  const empty = 'but it is empty; fill it in, or remove the key where it is not needed';
  const criterion = 'id: a, metric: b, expect: "max < 1s"';

  it.each([
    ['', 'the config file: it is empty; write at least one section, like "create_workspaces"', '1:1'],
    [
      '# nothing\n',
      'the config file: it is empty; write at least one section, like "create_workspaces"',
      '1:1',
    ],
    [
      '- 1\n',
      'the config file: keys and values are needed here, not a list; write "key: value" lines without "- "',
      '1:1',
    ],
    ['hello\n', 'the config file: keys and values are needed here, not a text', '1:1'],
    ['dashboard:\n#  duration: 5m\n', `dashboard: keys and values are needed here, ${empty}`, '1:11'],
    ['dashboard: 5\n', 'dashboard: keys and values are needed here, not a number', '1:12'],
    ['criteria:\n#  - id: a\n', `criteria: a list is needed here, ${empty}`, '1:10'],
    [
      `criteria:\n  ${criterion.replaceAll(', ', '\n  ')}\n`,
      'criteria: a list is needed here, not keys and values; begin each entry with "- "',
      '2:3',
    ],
    ['profiles:\n', `profiles: a map of names is needed here, ${empty}`, '1:10'],
    [
      'create_workspaces: { count: 1, templates: [] }\n',
      'create_workspaces.templates: a map of names is needed here, not a list; write "name:" in place of each "- "',
      '1:43',
    ],
    [
      'create_workspaces: { count: 1, templates: { "a b": {} } }\n',
      'create_workspaces.templates.a b: a name has letters, digits, "-" and "_" only',
      '1:45',
    ],
    [
      'abort_early: yes\n',
      'abort_early: true or false is needed here, not a text; yes, no, on, off and what stands in quotes are texts in YAML',
      '1:14',
    ],
    ['abort_early: 1\n', 'abort_early: true or false is needed here, not a number', '1:14'],
    [
      'dashboard: { concurrency: 1, duration: 1m, targets: { p95_latency_ms: "500" } }\n',
      'dashboard.targets.p95_latency_ms: a number is needed here, not a text; write the digits alone, without quotes',
      '1:71',
    ],
    [
      'dashboard: { concurrency: 1, duration: 1m, targets: { p95_latency_ms: .nan } }\n',
      'dashboard.targets.p95_latency_ms: a number is needed here, not one that is infinite or none',
      '1:71',
    ],
    [
      `criteria: [{ ${criterion}, title: 5 }]\n`,
      'criteria.0.title: a text is needed here, not a number; put it in quotes',
      '1:59',
    ],
    [
      'dashboard: { concurrency: 1, duration: 1m, browser: sometimes }\n',
      'dashboard.browser: it can be "auto", "always", "never"',
      '1:53',
    ],
    ['criteria: [{ id: a, disabled: false, reason: b }]\n', 'criteria.0.disabled: it can be true', '1:31'],
  ])('%j is refused with what to do', (text, message, place) => {
    expect(refusals(text)).toEqual([message]);
    expect(places(text)).toEqual([place]);
  });

  it('an alias without its anchor is named', () => {
    expect(refusals(`x-a: *nowhere\n${GOOD}`)).toEqual([expect.stringMatching(/nowhere/)]);
  });
});

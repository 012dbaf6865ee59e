import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { proportionally } from '../../src/config/profiles.js';
import { messagesOf, placesOf } from '../support/mistakes.js';

const CONFIG = `create_workspaces:
  count: 1000
  templates:
    pod_workspaces: { template: pod-swdev, count: 700, concurrency: 100, expected_p95: 2m }
    ec2_workspaces: { template: ec2-datasci, count: 300, concurrency: 50, expected_p95: 5m }
criteria:
  - { id: queue, metric: create_workspaces.pod_workspaces.queue, expect: "p95 < 30s" }
profiles:
  nightly: { create_workspaces: { count: 200 } }
  tiny: { create_workspaces: { count: 3 } }
  strict: { create_workspaces: { success_rate: "100%" } }
  own_groups:
    create_workspaces:
      count: 30
      templates:
        pod_workspaces: { count: 20 }
        ec2_workspaces: { count: 10 }
  smoke: { create_workspaces: { count: 100 } }
`;

const WITH_A_WRONG_ONE = `${CONFIG}  wrong:
    create_workspaces:
      count: 30
      cuont: 5
`;

const WITH_AN_UNEVEN_ONE = `${CONFIG}  uneven:
    create_workspaces: { count: 30, templates: { pod_workspaces: { count: 20 } } }
`;

function groupsOf(profile: string | undefined, text = CONFIG): Record<string, number[]> {
  const { config } = loadConfig('config.yaml', text, profile);
  return Object.fromEntries(
    Object.entries(config.create_workspaces?.templates ?? {}).map(([name, group]) => [
      name,
      [group.count, group.concurrency],
    ]),
  );
}

describe('profiles of the config file', () => {
  it('shrink the groups in proportion when they change only the total', () => {
    expect(groupsOf('nightly')).toEqual({ pod_workspaces: [140, 100], ec2_workspaces: [60, 50] });
    expect(loadConfig('config.yaml', CONFIG, 'nightly').config.create_workspaces?.count).toBe(200);
  });

  it('never ask for more at once than there is', () => {
    expect(groupsOf('tiny')).toEqual({ pod_workspaces: [2, 2], ec2_workspaces: [1, 1] });
  });

  it('change one value and leave the others', () => {
    const { config } = loadConfig('config.yaml', CONFIG, 'strict');
    expect(config.create_workspaces).toMatchObject({ count: 1000, success_rate: 1 });
    expect(config.criteria).toHaveLength(1);
  });

  it('may name the groups themselves', () => {
    expect(groupsOf('own_groups')).toEqual({ pod_workspaces: [20, 100], ec2_workspaces: [10, 50] });
  });

  it('leave the file alone when they are not chosen', () => {
    expect(groupsOf(undefined)).toEqual({ pod_workspaces: [700, 100], ec2_workspaces: [300, 50] });
  });

  it('come before the built-in ones of the same name', () => {
    expect(groupsOf('smoke')).toEqual({ pod_workspaces: [70, 70], ec2_workspaces: [30, 30] });
    expect(loadConfig('config.yaml', CONFIG, 'smoke').builtInProfile).toBeUndefined();
  });

  it('have their mistakes shown where they stand in the profile', () => {
    expect(messagesOf(() => loadConfig('config.yaml', WITH_A_WRONG_ONE, 'wrong'))).toEqual([
      'unknown key "cuont" in create_workspaces; did you mean "count"?',
    ]);
    expect(placesOf(() => loadConfig('config.yaml', WITH_A_WRONG_ONE, 'wrong'))).toEqual(['22:7']);
  });

  it('have their mistakes shown although another one is selected', () => {
    for (const profile of [undefined, 'nightly']) {
      expect(placesOf(() => loadConfig('config.yaml', WITH_A_WRONG_ONE, profile))).toEqual(['22:7']);
    }
  });

  it('have to add up like the file itself', () => {
    expect(messagesOf(() => loadConfig('config.yaml', WITH_AN_UNEVEN_ONE, 'uneven'))).toEqual([
      'create_workspaces.count is 30, but the groups add up to 320 (20 + 300); make them agree',
    ]);
  });

  it.each([undefined, 'nightly'])(
    'have to add up also when %s is selected, and are named then',
    (profile) => {
      const load = () => loadConfig('config.yaml', WITH_AN_UNEVEN_ONE, profile);
      expect(messagesOf(load)).toEqual([
        'profile "uneven": create_workspaces.count is 30, but the groups add up to 320 (20 + 300); make them agree',
      ]);
      expect(placesOf(load)).toEqual(['20:33']);
    },
  );

  it('do not repeat a contradiction of the file', () => {
    const text = CONFIG.replace('template: ec2-datasci', 'template: pod-swdev');
    for (const profile of [undefined, 'nightly']) {
      const load = () => loadConfig('config.yaml', text, profile);
      expect(messagesOf(load)).toEqual([expect.stringMatching(/^the groups .* use the same template/)]);
      expect(placesOf(load)).toEqual(['5:33']);
    }
  });

  it('are asked for what they inherit: each such contradiction once', () => {
    const text = CONFIG.replace('count: 1000', 'count: 1000\n  simultaneous: 500');
    const load = () => loadConfig('config.yaml', text);
    expect(messagesOf(load)).toEqual([
      'profile "nightly": create_workspaces.simultaneous is 500, but only 200 workspaces are planned; lower it, or raise count',
      expect.stringMatching(/^profile "tiny": .* only 3 workspaces/),
      expect.stringMatching(/^profile "own_groups": .* only 30 workspaces/),
      expect.stringMatching(/^profile "smoke": .* only 100 workspaces/),
    ]);
    expect(placesOf(load)).toEqual(['3:17', '3:17', '3:17', '3:17']);
  });

  it('leave a mistake of the file at its place', () => {
    const text = CONFIG.replace('count: 1000', 'count: 1000\n  cuont: 5');
    for (const profile of [undefined, 'nightly', 'strict'])
      expect(placesOf(() => loadConfig('config.yaml', `dashbord: 1\n${text}`, profile))).toEqual([
        '4:3',
        '1:1',
      ]);
  });

  it('are suggested when the name is mistyped', () => {
    expect(messagesOf(() => loadConfig('config.yaml', CONFIG, 'nightli'))).toEqual([
      'there is no profile "nightli"; did you mean "nightly"?',
    ]);
  });

  it.each(['baseline', 'full', 'extended', 'pre-production'])('say that %s is not available yet', (name) => {
    expect(messagesOf(() => loadConfig('config.yaml', CONFIG, name))).toEqual([
      expect.stringMatching(new RegExp(`"${name}" is not available yet`)),
    ]);
  });

  it.each(['__proto__', 'constructor', 'toString'])('do not come out of nowhere: %s', (name) => {
    expect(messagesOf(() => loadConfig('config.yaml', CONFIG, name))).toEqual([
      expect.stringMatching(/there is no profile/),
    ]);
  });

  it('may be without content by mistake, which is said where it stands', () => {
    const places = placesOf(() => loadConfig('config.yaml', `${CONFIG}  later:\n`, 'later'));
    expect(places).toEqual(['19:3']);
  });
});

describe('the criteria of a profile', () => {
  const profile = (...lines: string[]): string =>
    [
      'criteria:',
      '  - { id: queue, metric: a.b, expect: "p95 < 30s" }',
      '  - { id: build, metric: a.c, expect: "p95 < 40s", warn: "p95 < 30s" }',
      'suites: { notifications: { user-count: [1, 2] } }',
      'profiles:',
      '  strict:',
      ...lines.map((line) => `    ${line}`),
      '',
    ].join('\n');
  const criteriaOf = (text: string) =>
    loadConfig('config.yaml', text, 'strict').config.criteria.map((criterion) => [
      criterion.id,
      'expect' in criterion ? criterion.expect.text : criterion.reason,
    ]);

  it('are added to those of the file, and take the place of those with the same id', () => {
    const text = profile(
      'criteria:',
      '  - { id: more, metric: a.d, expect: "max < 1s" }',
      '  - { id: queue, metric: a.b, expect: "p95 < 10s" }',
    );
    expect(criteriaOf(text)).toEqual([
      ['queue', 'p95 < 10s'],
      ['build', 'p95 < 40s'],
      ['more', 'max < 1s'],
    ]);
  });

  it('replace the whole entry, and may take it out', () => {
    const [, whole] = loadConfig(
      'config.yaml',
      profile('criteria: [{ id: build, metric: a.c, expect: "max < 9s" }]'),
      'strict',
    ).config.criteria;
    expect(whole).not.toHaveProperty('warn');
    expect(criteriaOf(profile('criteria: [{ id: build, disabled: true, reason: no builds }]'))).toEqual([
      ['queue', 'p95 < 30s'],
      ['build', 'no builds'],
    ]);
  });

  it('may be none', () => {
    expect(criteriaOf(profile('criteria: []'))).toHaveLength(2);
  });

  it('are all there are in a file without criteria', () => {
    const text = profile('criteria: [{ id: a, metric: a.b, expect: "max < 1s" }]');
    expect(criteriaOf(text.slice(text.indexOf('suites:')))).toEqual([['a', 'max < 1s']]);
  });

  it('are the only list that is not replaced', () => {
    const { config } = loadConfig(
      'config.yaml',
      profile('suites: { notifications: { user-count: [3] } }'),
      'strict',
    );
    expect(config.suites?.['notifications']).toEqual({ 'user-count': [3] });
  });

  it.each([
    [
      'an expectation',
      'criteria: [{ id: more, metric: a.d, expect: "max < 1x" }]',
      /^criteria.0.expect: "1x"/,
      '7:56',
    ],
    [
      'a key',
      'criteria: [{ id: build, metric: a.c, expect: "max < 1s", titel: x }]',
      /^unknown key "titel" in criteria.0; did you mean "title"/,
      '7:62',
    ],
    ['a missing key', 'criteria: [{ id: build, metric: a.c }]', /^criteria.0.expect: /, '7:16'],
    ['an entry that is none', 'criteria: [nothing]', /^criteria.0: /, '7:16'],
    ['criteria that are no list', 'criteria: { id: a }', /^criteria: a list is needed here/, '7:15'],
  ])('have their mistakes shown where they stand: %s', (_, line, message, place) => {
    for (const selected of ['strict', undefined]) {
      const load = () => loadConfig('config.yaml', profile(line), selected);
      const prefix = selected === undefined ? 'profile "strict": ' : '';
      const [first = ''] = messagesOf(load);
      expect(first.slice(0, prefix.length)).toBe(prefix);
      expect(first.slice(prefix.length)).toMatch(message);
      expect(placesOf(load)[0]).toBe(place);
    }
  });

  it('may not have an id twice', () => {
    const entry = '{ id: queue, metric: a.b, expect: "max < 1s" }';
    const load = () => loadConfig('config.yaml', profile(`criteria: [${entry}, ${entry}]`), 'strict');
    expect(messagesOf(load)).toEqual(['the criterion id "queue" is used twice']);
    expect(placesOf(load)).toEqual(['7:70']);
  });

  it('leave the mistakes in those of the file at their place', () => {
    const text = profile('criteria: [{ id: a, metric: a.b, expect: "max < 1s" }]').replace('40s', '40x');
    expect(placesOf(() => loadConfig('config.yaml', text, 'strict'))).toEqual(['3:46']);
  });
});

describe('the built-in profile smoke', () => {
  it('does not hide profiles that are none', () => {
    expect(placesOf(() => loadConfig('config.yaml', 'version: 1\nprofiles: []\n', 'smoke'))).toEqual([
      '2:11',
    ]);
  });

  const plain = CONFIG.slice(0, CONFIG.indexOf('profiles:'));

  it('runs ten workspaces, in proportion', () => {
    expect(groupsOf('smoke', plain)).toEqual({ pod_workspaces: [7, 7], ec2_workspaces: [3, 3] });
    expect(loadConfig('config.yaml', plain, 'smoke').builtInProfile?.provisioning).toBe('max');
  });

  it('never runs more than configured', () => {
    const small = `create_workspaces:
  count: 4
  simultaneous: 4
  templates:
    pods: { template: pod-swdev, count: 4, concurrency: 2, expected_p95: 2m }
`;
    expect(groupsOf('smoke', small)).toEqual({ pods: [4, 2] });
  });

  it('drops a demand for more at once than it runs', () => {
    const all = plain.replace('count: 1000', 'count: 1000\n  simultaneous: 1000');
    expect(loadConfig('config.yaml', all, 'smoke').config.create_workspaces?.simultaneous).toBeUndefined();
  });

  it('leaves groups out that would have nothing to do', () => {
    const lopsided = `create_workspaces:
  count: 1000
  templates:
    big: { template: a, count: 999, concurrency: 100, expected_p95: 2m }
    small: { template: b, count: 1, concurrency: 1, expected_p95: 5m }
`;
    expect(groupsOf('smoke', lopsided)).toEqual({ big: [10, 10] });
  });
});

describe('proportionally', () => {
  const weights = fc.array(fc.nat(5000), { minLength: 1, maxLength: 12 });

  it('always adds up, in whole numbers near the exact shares', () => {
    fc.assert(
      fc.property(fc.nat(100_000), weights, (total, parts) => {
        const sum = parts.reduce((all, part) => all + part, 0);
        fc.pre(sum > 0);
        const shares = proportionally(total, parts);
        expect(shares.reduce((all, share) => all + share, 0)).toBe(total);
        shares.forEach((share, index) => {
          expect(Number.isInteger(share)).toBe(true);
          expect(Math.abs(share - (total * (parts[index] ?? 0)) / sum)).toBeLessThan(1);
        });
      }),
    );
  });

  it('gives back what there was for the same total', () => {
    fc.assert(
      fc.property(weights, (parts) => {
        const sum = parts.reduce((all, part) => all + part, 0);
        expect(proportionally(sum, parts)).toEqual(parts);
      }),
    );
  });
});

it('the groups of a shrunken config always add up to its total', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 3000 }), (counts, total) => {
      const groups = counts.map(
        (count, index) =>
          `    g${index}: { template: t${index}, count: ${count}, concurrency: 7, expected_p95: 2m }`,
      );
      const sum = counts.reduce((all, count) => all + count, 0);
      const text = `create_workspaces:\n  count: ${sum}\n  templates:\n${groups.join('\n')}\nprofiles:\n  other: { create_workspaces: { count: ${total} } }\n`;
      const shrunken = Object.values(groupsOf('other', text)).map(([count = 0]) => count);
      expect(shrunken.reduce((all, count) => all + count, 0)).toBe(total);
      expect(Math.min(...shrunken)).toBeGreaterThan(0);
    }),
    { numRuns: 60 },
  );
});

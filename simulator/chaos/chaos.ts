import { parseArgs } from 'node:util';
import { forEachConcurrently } from '../../src/concurrency.js';
import { caseOf } from './cases.js';
import { runCase, type ChaosResult } from './run-case.js';

const USAGE = `Runs the committed action against the simulator, with something that goes wrong in each run.

  npm run chaos -- [--cases N] [--seed N] [--only NUMBER] [--at-once N] [--verbose]

  --cases N     how many cases (200)
  --seed N      another choice of moments (1)
  --only NUMBER only this case, with its log
  --at-once N   how many at the same time (3)
`;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    'at-once': { type: 'string', default: '3' },
    help: { type: 'boolean', default: false },
  },
});

const describe = ({ chaos, problems, verdict, seconds, struck }: ChaosResult): string =>
  `${problems.length === 0 ? 'survived' : 'FAILED  '} ${String(chaos.number).padStart(3)}  ${chaos.fault.name}, ${chaos.moment.name} + ${chaos.moment.afterMs} ms, ${chaos.setting.name}: ${verdict}${struck ? '' : ' (the moment did not come)'}, ${seconds.toFixed(1)} s${problems.map((problem) => `\n      ${problem}`).join('')}`;

/** One line a fault, and one for all. */
function table(results: readonly ChaosResult[]): string {
  const names = [...new Set(results.map(({ chaos }) => chaos.fault.name))];
  const width = Math.max('fault'.length, ...names.map((name) => name.length));
  const row = (name: string, of: readonly ChaosResult[]): string => {
    const survived = of.filter(({ problems }) => problems.length === 0).length;
    const struck = of.filter((result) => result.struck).length;
    return `| ${name.padEnd(width)} | ${String(of.length).padStart(5)} | ${String(struck).padStart(6)} | ${String(survived).padStart(8)} |`;
  };
  return [
    `| ${'fault'.padEnd(width)} | cases | struck | survived |`,
    `| ${'-'.repeat(width)} | ----: | -----: | -------: |`,
    ...names.map((name) =>
      row(
        name,
        results.filter(({ chaos }) => chaos.fault.name === name),
      ),
    ),
    row('all', results),
  ].join('\n');
}

async function main(): Promise<number> {
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const seed = Number(values.seed);
  const numbers =
    values.only === undefined
      ? Array.from({ length: Number(values.cases) }, (_, index) => index + 1)
      : [Number(values.only)];
  const results: ChaosResult[] = [];
  await forEachConcurrently(numbers, Number(values['at-once']), async (number) => {
    const result = await runCase(caseOf(number, seed));
    results.push(result);
    console.log(describe(result));
    if (values.only !== undefined) console.log(result.log.join('\n'));
  });
  console.log(`\nSeed ${seed}\n${table(results)}`);
  return results.every(({ problems }) => problems.length === 0) ? 0 : 1;
}

process.exitCode = await main();

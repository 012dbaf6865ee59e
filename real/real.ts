import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '../src/run/metrics-page.js';
import { reenterInNamespace } from './namespace.js';
import { Owner } from './owner.js';
import { runScenario } from './run-scenario.js';
import { DISTURBED_SCENARIOS } from './disturbed-scenarios.js';
import { PROVISIONERS, SCENARIOS, TEMPLATE, type Scenario } from './scenarios.js';
import { startServer, stopAgents, type ServerSettings } from './server.js';

const USAGE = `Runs the committed action against a real Coder server on this machine.

  npm run real -- --coder PATH [--postgres-url URL] [--only TEXT] [--keep]

  --coder PATH         a full Coder binary ("coder version" says that it supports the server subcommand); the CLI is
                       the same file. Releases: https://github.com/coder/coder/releases
  --postgres-url URL   an empty database for the server; without it, the server starts its own PostgreSQL (not as root)
  --only TEXT          only the scenarios whose title has this text
  --keep               keeps the server's folder with its log

Terraform 1.1 to 1.14 has to be on PATH, or the server fetches it. Without network, TF_CLI_CONFIG_FILE names a mirror
with the provider coder/coder that fits the server's age, and with its 2.5.3 for the suite dynamic-parameters. As root on Linux everything runs in a network namespace.
Up to v2.21 the browsers need a binary that has the site built in, and Chromium.
`;

const { values } = parseArgs({
  options: {
    coder: { type: 'string' },
    'postgres-url': { type: 'string' },
    only: { type: 'string', default: '' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  if (values.help || values.coder === undefined) {
    console.log(USAGE);
    return values.help ? 0 : 1;
  }
  const coderPath = path.resolve(values.coder);
  await access(coderPath, constants.X_OK).catch(() => {
    throw new Error(`${coderPath} is no file that can be run\n\n${USAGE}`);
  });
  const inner = await reenterInNamespace();
  if (inner !== undefined) return inner;
  const directory = await mkdtemp(path.join(tmpdir(), 'scaletest-real-'));
  try {
    return await runAll({
      coderPath,
      directory,
      postgresUrl: values['postgres-url'],
      rateLimits: false,
      provisioners: PROVISIONERS,
      port: await freePort(),
    });
  } finally {
    const agents = await stopAgents(path.join(directory, 'agents'));
    if (agents > 0) console.log(`${agents} agents were still there and were ended.`);
    if (values.keep) console.log(`The server's folder is ${directory}`);
    else await rm(directory, { recursive: true, force: true });
  }
}

async function runAll(settings: ServerSettings): Promise<number> {
  const scenarios = [...SCENARIOS, ...DISTURBED_SCENARIOS].filter(({ title }) => title.includes(values.only));
  let running = scenarios[0] === undefined ? settings : settingsFor(scenarios[0], settings);
  let server = await startServer(running);
  const lines: string[] = [];
  let failures = 0;
  try {
    const owner = await Owner.create(server.url);
    await owner.pushTemplate(TEMPLATE, settings.coderPath, settings.directory);
    for (const scenario of scenarios) {
      const wanted = settingsFor(scenario, settings);
      if (wanted.rateLimits !== running.rateLimits || wanted.provisioners !== running.provisioners) {
        await server.stop();
        running = wanted;
        server = await startServer(running);
      }
      const outcome = await runScenario(scenario, { server, owner, settings });
      lines.push(outcome.line);
      if (!outcome.isAsExpected) failures += 1;
    }
  } finally {
    await server.stop();
  }
  console.log(
    `\nScenario, verdict, seconds, what the server says is left\n${lines.map((line) => `  ${line}`).join('\n')}`,
  );
  console.log(failures === 0 ? '\nAll as expected.' : `\n${failures} not as expected.`);
  return failures === 0 ? 0 : 1;
}

const settingsFor = (
  { rateLimits, provisioners = PROVISIONERS }: Scenario,
  settings: ServerSettings,
): ServerSettings => ({ ...settings, rateLimits, provisioners });

try {
  process.exitCode = await main();
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : thrown);
  process.exitCode = 1;
}

import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  defaultTemplates,
  type DeploymentOptions,
  type TemplateParameter,
} from '../../simulator/coder/options.js';
import {
  configFile,
  errorTexts,
  expectOutcome,
  expectRefusal,
  inWorld,
  LONGEST_SCENARIO_MS,
  readJson,
  type ConfigOptions,
  type E2eWorld,
} from './support.js';

const needed: TemplateParameter = {
  name: 'team',
  type: 'string',
  defaultValue: '',
  required: true,
  mutable: false,
  ephemeral: false,
  options: [],
};

interface Refusal {
  name: string;
  deployment?: Partial<DeploymentOptions>;
  config?: ConfigOptions;
  inputs?: (world: E2eWorld) => Record<string, string>;
  says: RegExp[];
}

const REFUSALS: Refusal[] = [
  {
    name: 'a member’s token: names the role',
    inputs: ({ coder }) => ({ 'coder-session-token': coder.memberToken }),
    says: [
      /the user "ordinary-member" is an ordinary member, but scale tests need an owner; give an owner's token/,
    ],
  },
  {
    name: 'an expired token',
    deployment: { tokenExpiresInSeconds: -60 },
    says: [/expired/],
  },
  {
    name: 'a token that nobody issued',
    inputs: () => ({ 'coder-session-token': 'abcdefghij-abcdefghijklmnopqrstuv' }),
    says: [/API key is invalid/],
  },
  {
    name: 'a token that dies before the clean-up ends',
    deployment: { tokenExpiresInSeconds: 600 },
    says: [
      /the token ends at .*, but the run with its clean-up may take .*; give a fresh token, or "coder-email"/,
    ],
  },
  {
    name: 'a template that does not exist: lists those that do',
    config: { podTemplate: 'pod-swdef' },
    says: [
      /the template "pod-swdef" does not exist; did you mean "pod-swdev".*There are: .*pod-swdev/,
      /There are: .*ec2-datasci/,
    ],
  },
  {
    name: 'a parameter without a value',
    deployment: {
      templates: defaultTemplates().map((one) =>
        one.name === 'pod-swdev' ? { ...one, parameters: [needed] } : one,
      ),
    },
    says: [
      /the template "pod-swdev" needs a value for its parameter "team"; set it in create_workspaces\.templates\.pod_workspaces\.parameters/,
    ],
  },
  {
    name: 'an unknown parameter',
    config: { ec2Group: ['parameters: { regoin: eu-west-1 }'] },
    says: [/the template "ec2-datasci" has no parameter "regoin" .*; did you mean "region"/],
  },
  {
    name: 'a value that is no option',
    config: { ec2Group: ['parameters: { size: huge }'] },
    says: [
      /"huge" is no option of the parameter "size" of the template "ec2-datasci"; there is small, large/,
    ],
  },
  {
    name: 'no provisioner',
    deployment: { provisionerSlots: 0 },
    says: [/no provisioner is online, so no workspace would be built/],
  },
  {
    name: 'several obstacles: all at once',
    deployment: { tokenExpiresInSeconds: 600 },
    config: { podTemplate: 'nothing-like-it', ec2Group: ['parameters: { size: huge }'] },
    says: [/the token ends at/, /"nothing-like-it" does not exist/, /"huge" is no option/],
  },
];

describe.concurrent('a deployment that the test does not fit', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each(REFUSALS)('$name', ({ deployment = {}, config = {}, inputs, says }) =>
    inWorld(deployment, async (world) => {
      const run = await world.gate(configFile(config), { inputs: inputs?.(world) ?? {} });
      expectRefusal(run, world, ...says);
      expect(run.main.summary).toContain('| **refused** |');
      expect(readJson(run, 'readiness.json')).toMatchObject({ schema: 1 });
    }),
  );

  it('gives a parameter that needs a value the one of the config', () =>
    inWorld(
      {
        templates: defaultTemplates().map((one) =>
          one.name === 'pod-swdev' ? { ...one, parameters: [needed] } : one,
        ),
      },
      async (world) => {
        const run = await world.gate(
          configFile({ pods: 1, ec2: 0, podGroup: ['parameters: { team: "a,b \\"c\\"" }'] }),
        );
        expectOutcome(run, 'pass', 0);
        const builds = [...world.coder.state.builds.values()].filter(
          ({ transition }) => transition === 'start',
        );
        expect(builds.map(({ parameters }) => parameters)).toEqual([[{ name: 'team', value: 'a,b "c"' }]]);
      },
    ));
});

const UNREACHABLE: { name: string; deployment: Partial<DeploymentOptions>; says: RegExp }[] = [
  {
    name: 'answers HTML',
    deployment: { answerHtml: true },
    says: /text\/html instead of JSON: "coder-url" is not a Coder deployment/,
  },
  {
    name: 'is behind something that answers 403',
    deployment: { forbidAll: true },
    says: /403 and text\/html, which is not Coder's: something in front of Coder .* refused the call/,
  },
  { name: 'closes every connection', deployment: { apiDown: true }, says: /cannot be reached/ },
];

describe.concurrent('a deployment that', { timeout: LONGEST_SCENARIO_MS }, () => {
  it.each(UNREACHABLE)('$name is refused with what to do', ({ deployment, says }) =>
    inWorld(deployment, async (world) => {
      const run = await world.gate(configFile());
      expectRefusal(run, world, says);
    }),
  );

  it('is not there is refused with its address', () =>
    inWorld({}, async (world) => {
      const url = await closedAddress();
      const run = await world.gate(configFile(), { inputs: { 'coder-url': url } });
      expectRefusal(run, world, `${url} cannot be reached`, 'ECONNREFUSED');
      expect(errorTexts(run)).toContain('Scale test not started');
    }));
});

/** An address where something listened a moment ago. */
async function closedAddress(): Promise<string> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

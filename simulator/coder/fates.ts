import type { Deployment } from './deployment.js';
import { Random } from './random.js';
import type { Template, Transition, Workspace } from './state.js';

/** What will become of a build. */
export interface Fate {
  seconds: number;
  fails: boolean;
  /** From the end of the build to the agent's connection, and from there to the end of its scripts. */
  connectMs: number;
  readyMs: number;
  latencyMs: number;
}

/**
 * Draws fates when provisioners take builds up. Every template and transition has its own stream of randomness, so that
 * the n-th build of a template has the same fate in every run, whatever else was asked of the deployment.
 */
export class Fates {
  readonly #streams = new Map<string, Random>();
  readonly #deployment: Deployment;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  draw(transition: Transition, workspace: Workspace, template: Template): Fate {
    const { options } = this.#deployment;
    const random = this.#stream(`${template.options.name} ${transition}`);
    const chosen = this.#deployment.templateOptions(template);
    const isStart = transition === 'start';
    const share = isStart ? chosen.failingShare : transition === 'delete' ? options.failDeleteShare : 0;
    const isStuck = [workspace.name, workspace.id].some((one) => options.undeletableWorkspaces.includes(one));
    return {
      fails: random.next() < share || (transition === 'delete' && isStuck),
      seconds: random.logNormal(isStart ? chosen.startSeconds : chosen.deleteSeconds),
      connectMs: random.logNormal(chosen.agentConnectSeconds) * 1000,
      readyMs: random.logNormal(chosen.agentReadySeconds) * 1000,
      latencyMs: 0.2 + random.next(),
    };
  }

  dryRunSeconds(template: Template): number {
    const { dryRunSeconds } = this.#deployment.templateOptions(template);
    return this.#stream(`${template.options.name} dry-run`).logNormal(dryRunSeconds);
  }

  #stream(name: string): Random {
    const known = this.#streams.get(name);
    if (known !== undefined) return known;
    const hash = Array.from(name).reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7);
    const stream = new Random(this.#deployment.options.seed + hash);
    this.#streams.set(name, stream);
    return stream;
  }
}

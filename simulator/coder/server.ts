import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Deployment } from './deployment.js';
import { seedLeftovers, seedWorkspace } from './leftovers.js';
import { MetricsPages, type MetricsPage } from './metrics-pages.js';
import { defaultOptions, type DeploymentOptions } from './options.js';
import { RequestHandling } from './request-handling.js';
import type { DeploymentState, Token, Workspace } from './state.js';

export type {
  CliBehaviour,
  DeploymentOptions,
  Spread,
  TemplateOptions,
  TemplateParameter,
} from './options.js';
export { defaultTemplates, simulatedTemplate } from './options.js';
export type { DeploymentState } from './state.js';

const WEEK_SECONDS = 7 * 24 * 3600;

/** A running simulated deployment. */
export interface CoderDeployment {
  url: string;
  ownerToken: string;
  ownerEmail: string;
  ownerPassword: string;
  /** Of an ordinary member. */
  memberToken: string;
  memberUsername: string;
  /** What the deployment knows and has counted. */
  state: DeploymentState;
  /** May be changed while it runs. */
  options: DeploymentOptions;
  /** Makes `count` users with a running workspace each, as an earlier test would have left them. */
  seedLeftovers: (count: number, template?: string) => void;
  /** Makes a user with a running workspace of that name. */
  seedWorkspace: (owner: { username: string; email: string }, name: string) => Workspace;
  /** Gives a user an API token of a week. */
  addToken: (userId: string, name: string) => Token;
  /** Opens the metrics page of each replica on a port of its own. */
  openMetricsPages: () => Promise<MetricsPage[]>;
  /** Begins a replica anew. */
  restart: (replica?: number) => void;
  close: () => Promise<void>;
}

const OWNER = {
  username: 'ci-admin',
  email: 'ci@example.com',
  password: 'correct-Horse-battery-9',
  name: 'CI',
};
const MEMBER = {
  username: 'ordinary-member',
  email: 'member@example.com',
  password: 'another-Horse-battery-9',
};

export async function startCoderServer(options: Partial<DeploymentOptions> = {}): Promise<CoderDeployment> {
  const deployment = new Deployment({ ...defaultOptions(), ...options });
  const owner = deployment.addUser({ ...OWNER, roles: ['owner'], status: 'active' });
  const member = deployment.addUser({ ...MEMBER, status: 'active' });
  const addToken = (userId: string, name: string): Token =>
    deployment.addToken({ userId, name, loginType: 'token', lifetimeSeconds: WEEK_SECONDS });
  const tokenOf = (userId: string): string => {
    const token = addToken(userId, 'ci');
    if (userId === owner.id) deployment.ownerTokenId = token.id;
    return `${token.id}-${token.secret}`;
  };
  const ownerToken = tokenOf(owner.id);
  const memberToken = tokenOf(member.id);
  for (const template of deployment.options.templates) deployment.addTemplate(template, owner.id);

  const pages = new MetricsPages(deployment);
  const handling = new RequestHandling(deployment);
  const server = createServer((request, response) => void handling.answer(request, response));
  server.on('upgrade', (request, socket) => void handling.sockets.upgrade(request, socket));
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(deployment.options.port, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo;
  deployment.url = `http://127.0.0.1:${address.port}`;
  deployment.provisioning.start();

  return {
    url: deployment.url,
    ownerToken,
    ownerEmail: OWNER.email,
    ownerPassword: OWNER.password,
    memberToken,
    memberUsername: MEMBER.username,
    state: deployment.state,
    options: deployment.options,
    seedLeftovers: (count, template) => seedLeftovers(deployment, count, template),
    seedWorkspace: (person, name) => seedWorkspace(deployment, person, name),
    addToken,
    openMetricsPages: () => pages.open(),
    restart: (replica) => deployment.replicas.restart(replica),
    close: async () => {
      pages.close();
      deployment.provisioning.close();
      handling.sockets.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

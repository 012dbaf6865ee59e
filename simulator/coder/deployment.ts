import { now } from './clock.js';
import type { DeploymentOptions, TemplateOptions } from './options.js';
import { Provisioning } from './provisioning.js';
import { Random } from './random.js';
import { Replicas } from './replicas.js';
import { DeploymentState, type Template, type Token, type User } from './state.js';
import { serverTraits, type ServerTraits } from './versions.js';

/** The deployment as a whole: its state, its options and what all routes share. */
export class Deployment {
  readonly state = new DeploymentState();
  /** Ids and names. */
  readonly random: Random;
  /** Apart from the rest, because how often it is drawn depends on the clients. */
  readonly latencyRandom: Random;
  readonly startedAt = now();
  readonly id: string;
  readonly replicas: Replicas;
  readonly organization: { id: string; createdAt: number };
  readonly provisioning: Provisioning;
  /** Where it listens; known only after the start. */
  url = '';
  ownerTokenId = '';
  #traits: { version: string; traits: ServerTraits } | null = null;

  constructor(readonly options: DeploymentOptions) {
    this.random = new Random(options.seed);
    this.latencyRandom = new Random(options.seed + 1);
    this.id = this.random.uuid();
    this.replicas = new Replicas(options);
    this.organization = { id: this.random.uuid(), createdAt: this.startedAt };
    this.provisioning = new Provisioning(this);
  }

  get traits(): ServerTraits {
    if (this.#traits?.version !== this.options.version) {
      this.#traits = { version: this.options.version, traits: serverTraits(this.options.version) };
    }
    return this.#traits.traits;
  }

  /** As in `buildinfo` and in the header of every answer. */
  get buildVersion(): string {
    return this.options.version + this.options.buildVersionSuffix;
  }

  get limitsAreOff(): boolean {
    return this.options.disableRateLimits || this.options.apiRateLimit <= 0;
  }

  /** A template's options with the overrides of the moment. */
  templateOptions(template: Template): TemplateOptions {
    return { ...template.options, ...this.options.templateOverrides[template.options.name] };
  }

  isOwner(user: User): boolean {
    return user.roles.includes('owner');
  }

  addUser(user: Pick<User, 'username' | 'email' | 'password'> & Partial<User>): User {
    const time = now();
    const whole: User = {
      id: this.random.uuid(),
      name: '',
      createdAt: time,
      updatedAt: time,
      lastSeenAt: null,
      status: 'dormant',
      loginType: 'password',
      roles: [],
      deleted: false,
      ...user,
    };
    this.state.users.set(whole.id, whole);
    return whole;
  }

  addToken(token: Pick<Token, 'userId' | 'name' | 'loginType' | 'lifetimeSeconds'>): Token {
    const time = now();
    const whole: Token = {
      id: this.random.alphanumeric(10),
      secret: this.random.alphanumeric(22),
      createdAt: time,
      updatedAt: time,
      expiresAt: time + token.lifetimeSeconds * 1000,
      lastUsedAt: null,
      ...token,
    };
    this.state.tokens.set(whole.id, whole);
    this.state.tokenSecrets.add(whole.secret);
    return whole;
  }

  /** The moment a token dies; the owner's can be set by an option. */
  expiryOf(token: Token): number {
    const seconds = this.options.tokenExpiresInSeconds;
    if (seconds !== null && token.id === this.ownerTokenId) return this.startedAt + seconds * 1000;
    return token.expiresAt;
  }

  addTemplate(options: TemplateOptions, creatorId: string): Template {
    const time = now();
    const id = this.random.uuid();
    const versionId = this.random.uuid();
    const fileId = this.random.uuid();
    const template: Template = {
      id,
      versionId,
      versionName: `${options.name.replaceAll('-', '_')}_${this.random.alphanumeric(3).toLowerCase()}`,
      fileId,
      importJob: {
        id: this.random.uuid(),
        type: 'template_version_import',
        createdAt: time,
        startedAt: time + 12,
        completedAt: time + 1636,
        canceledAt: null,
        error: '',
        workerId: this.random.uuid(),
        fileId,
        initiatorId: creatorId,
        subjectId: versionId,
        templateId: id,
        updatedAt: time + 1636,
        sequence: 0,
        plannedMs: 1624,
      },
      createdAt: time,
      updatedAt: time,
      options,
    };
    this.state.templates.set(id, template);
    return template;
  }

  /** User administrators are told about every new and every deleted user. */
  notifyOwners(subject: User, happened: 'created' | 'deleted', initiator: User): void {
    for (const owner of this.state.liveUsers().filter((user) => this.isOwner(user))) {
      const who = initiator.name === '' ? initiator.username : initiator.name;
      const sentence =
        happened === 'created'
          ? `New user account **${subject.username}** has been created.\n\nThis new user account was created by **${who}**.`
          : `The following user account has been deleted: **${subject.username}**.\n\nThis user account was deleted by **${who}**.`;
      this.state.notifications.push({
        id: this.random.uuid(),
        userId: owner.id,
        targetId: subject.id,
        title: `User account "${subject.username}" ${happened}`,
        content: sentence,
        createdAt: now(),
      });
    }
  }
}

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { loadConfig, type LoadedConfig } from '../config/load.js';
import { ConfigurationError, messageOf } from '../errors.js';
import { parseInputs, type Inputs } from '../inputs.js';
import type { World } from '../world.js';
import { trustCaFile } from './authorities.js';

/** Where the config file is looked for when the input does not name one. */
const DEFAULT_PLACES = [
  'scaletest-config.yaml',
  '.github/scaletest-config.yaml',
  'terraform/test/scaletest/scaletest-config.yaml',
];

/** They read a config file only when the input names one. */
const MODES_WITHOUT_CONFIG = ['judge', 'cleanup'];

/**
 * Reads the config file of the workspace.
 * @throws ConfigurationError when there is none, it cannot be read, or it has mistakes.
 */
export async function readConfig(
  inputs: Pick<Inputs, 'configPath' | 'profile'>,
  workspace: string,
): Promise<LoadedConfig> {
  const { configPath, profile } = inputs;
  if (configPath !== undefined) {
    const text = await readFile(path.resolve(workspace, configPath), 'utf8').catch((thrown: unknown) => {
      throw new ConfigurationError([
        {
          message: `the config file "${configPath}" (input "config") cannot be read: ${messageOf(thrown)}; check the path, and that the repository was checked out before this step`,
        },
      ]);
    });
    return loadConfig(configPath, text, profile);
  }
  for (const place of DEFAULT_PLACES) {
    const text = await readFile(path.join(workspace, place), 'utf8').catch(() => undefined);
    if (text !== undefined) return loadConfig(place, text, profile);
  }
  throw new ConfigurationError([
    {
      message: `no config file was found; make one of ${DEFAULT_PLACES.join(', ')}, or name yours with the input "config" (was the repository checked out before this step?)`,
    },
  ]);
}

/**
 * Reads the inputs. When some are bad, the config file is looked at as well, so that all mistakes are told at once.
 * @throws ConfigurationError
 */
export async function readInputs(world: World): Promise<Inputs> {
  const { environment, job } = world;
  try {
    const inputs = parseInputs(environment, job.noSecrets);
    await trustCaFile(inputs, world);
    return inputs;
  } catch (thrown) {
    if (!(thrown instanceof ConfigurationError)) throw thrown;
    const configPath = environment['INPUT_CONFIG'];
    const needsConfig = !MODES_WITHOUT_CONFIG.includes(environment['INPUT_MODE']?.trim() ?? '');
    if (!needsConfig && (configPath ?? '') === '') throw thrown;
    const others = await readConfig(
      configPath === undefined || configPath === '' ? {} : { configPath },
      job.workspace,
    ).then(
      () => [],
      (error: unknown) => (error instanceof ConfigurationError ? error.mistakes : []),
    );
    throw new ConfigurationError([...thrown.mistakes, ...others]);
  }
}

import { ConfigurationError, type Mistake } from '../../src/errors.js';
import { thrownBy } from './fakes.js';

/** The mistakes that a configuration is refused with. */
export function mistakesOf(action: () => unknown): readonly Mistake[] {
  const thrown = thrownBy(action);
  if (thrown instanceof ConfigurationError) return thrown.mistakes;
  throw thrown;
}

export const messagesOf = (action: () => unknown): string[] =>
  mistakesOf(action).map(({ message }) => message);

/** `line:column` of each mistake. */
export const placesOf = (action: () => unknown): string[] =>
  mistakesOf(action).map(({ location }) =>
    location === undefined ? 'nowhere' : `${location.line}:${location.column}`,
  );

/** The server's password rules: at least 52 bits by its own reckoning, at most 64 characters. */

const MINIMUM_BITS = 52;
const MAXIMUM_LENGTH = 64;
const CLASSES = [
  '!@$&*',
  '_-., ',
  '"#%\'()+/:;<=>?[\\]^{|}~',
  'abcdefghijklmnopqrstuvwxyz',
  'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  '0123456789',
];
const SEQUENCES = ['0123456789', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'abcdefghijklmnopqrstuvwxyz'];

function alphabetSize(password: string): number {
  return CLASSES.filter((characters) => Array.from(password).some((one) => characters.includes(one))).reduce(
    (sum, characters) => sum + characters.length,
    0,
  );
}

/** Repetitions and keyboard rows count for at most two characters. */
function countedLength(password: string): number {
  let kept = '';
  for (const character of password) {
    const tail = kept.slice(-2);
    const repeated = tail === character.repeat(2);
    const row = (tail + character).toLowerCase();
    const inRow =
      row.length === 3 &&
      SEQUENCES.some((line) => line.includes(row) || Array.from(line).reverse().join('').includes(row));
    if (!repeated && !inRow) kept += character;
  }
  return kept.length;
}

/** Null when the password is good enough. */
export function passwordProblem(password: string): string | null {
  if (password.length > MAXIMUM_LENGTH) return `password must be no more than ${MAXIMUM_LENGTH} characters`;
  const bits = countedLength(password) * Math.log2(Math.max(1, alphabetSize(password)));
  if (bits >= MINIMUM_BITS) return null;
  return 'insecure password, try including more special characters, using lowercase letters, using uppercase letters, using numbers or using a longer password';
}

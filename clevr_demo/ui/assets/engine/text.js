// Text as Python reads and shows it, counted in code points: what a link's notes are made of.
import { MOST_TEXT } from './constants.js';

const BLANK = '(?:(?!\\ufeff)[\\s\\x1c-\\x1f\\x85])+'; // for JavaScript U+FEFF is one as well, and the others are none
const BETWEEN = new RegExp(BLANK, 'u');
const ENDS = new RegExp(`^${BLANK}|${BLANK}$`, 'gu');
const AROUND_NUMBERS = /^(?:(?!\ufeff)[\s\x85])+|(?:(?!\ufeff)[\s\x85])+$/gu;
const UNPRINTABLE = /(?! )[\p{C}\p{Z}]/u;
const MOST_SHOWN = 100;
const MOST_REPR = 80;
const MOST_ENTRIES = 6;

const points = (text) => [...text];

/** `text[:most]` */
export function cut(text, most) {
  return text.length <= most ? text : points(text.slice(0, 2 * most)).slice(0, most).join('');
}

/** Whether a text is longer than so many code points. */
export const longer = (text, most) => text.length > most && points(text.slice(0, 2 * most + 2)).length > most;

/** `text.strip()` */
export const strip = (text) => text.replace(ENDS, '');

/** `text.split()` */
export const split = (text) => text.split(BETWEEN).filter(Boolean);

// `text[:before] + "..." + text[-after:]` where a text is longer than that.
function shortened(text, most, before, after) {
  const all = points(text);
  return all.length <= most ? text : `${all.slice(0, before).join('')}...${all.slice(all.length - after).join('')}`;
}

function escaped(character, quote) {
  if (character === quote || character === '\\') return `\\${character}`;
  if (!UNPRINTABLE.test(character)) return character;
  const named = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
  const code = character.codePointAt(0);
  const [letter, digits] = code < 0x100 ? ['x', 2] : code < 0x10000 ? ['u', 4] : ['U', 8];
  return named ?? `\\${letter}${code.toString(16).padStart(digits, '0')}`;
}

function quoted(all) {
  const quote = all.includes("'") && !all.includes('"') ? '"' : "'";
  return `${quote}${all.map((character) => escaped(character, quote)).join('')}${quote}`;
}

const MIDDLE = Math.floor((MOST_REPR - 3) / 2); // characters kept in front of "..."; behind it one more

function textRepr(text) {
  const all = points(text);
  const whole = quoted(all.slice(0, MOST_REPR));
  if (points(whole).length <= MOST_REPR) return whole;
  const after = MOST_REPR - 3 - MIDDLE;
  return shortened(quoted([...all.slice(0, MIDDLE), ...all.slice(all.length - after)]), 0, MIDDLE, after);
}

function floatRepr(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  const size = Math.abs(value);
  if (size && (size >= 1e16 || size < 1e-4)) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  const told = Object.is(value, -0) ? '-0' : String(value);
  return told.includes('.') ? told : `${told}.0`;
}

function repr(value) {
  if (typeof value === 'string') return textRepr(value);
  if (typeof value === 'number') return floatRepr(value);
  if (typeof value === 'bigint') return shortened(String(value), MOST_REPR, MIDDLE, MOST_REPR - 3 - MIDDLE);
  const entries = value.slice(0, MOST_ENTRIES).map(repr);
  if (value.length > MOST_ENTRIES) entries.push('...');
  return `(${entries.join(', ')}${value.length === 1 ? ',' : ''})`;
}

/**
 * A value as it stands in a note, at most 100 characters of it.
 * @param {string|number|bigint|Array} value a str, a float, an int or a tuple, as Python has them
 */
export function shown(value) {
  return shortened(repr(typeof value === 'string' ? cut(value, MOST_TEXT) : value), MOST_SHOWN, 60, 37);
}

// A number's text without blanks around it, the digits of all scripts as ours: each script's ten stand in a row.
function plainDigits(text) {
  return text.replace(AROUND_NUMBERS, '').replace(/(?![0-9])\p{Nd}/gu, (digit) => {
    let before = digit.codePointAt(0);
    while (/\p{Nd}/u.test(String.fromCodePoint(before - 1))) before -= 1;
    return String((digit.codePointAt(0) - before) % 10);
  });
}

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** `urllib.parse.unquote_plus(text)`; of what is no UTF-8, the character that stands for it. */
export function unquoted(text) {
  const bytesOf = (run) => Uint8Array.from(run.match(/[0-9a-f]{2}/gi), (byte) => parseInt(byte, 16));
  return text.replaceAll('+', ' ').replace(/(?:%[0-9a-f]{2})+/gi, (run) => UTF8.decode(bytesOf(run)));
}

/** `int(text)`, or null where Python finds no whole number. */
export function intOf(text) {
  const plain = plainDigits(text);
  if (!/^[+-]?\d+(?:_\d+)*$/.test(plain)) return null;
  const digits = BigInt(plain.replace(/[+_-]/g, ''));
  return plain.startsWith('-') ? -digits : digits;
}

const DIGITS = '\\d+(?:_\\d+)*';
const FLOAT = new RegExp(`^[+-]?(?:${DIGITS}\\.?|(?:${DIGITS})?\\.${DIGITS})(?:e[+-]?${DIGITS})?$`, 'i');

/** `float(text)`, or null where Python finds no number. */
export function floatOf(text) {
  const plain = plainDigits(text);
  const [, sign, word] = /^([+-]?)(inf|infinity|nan)$/i.exec(plain) ?? [];
  if (word) return word.toLowerCase() === 'nan' ? NaN : Number(`${sign}Infinity`);
  return FLOAT.test(plain) ? Number(plain.replaceAll('_', '')) : null;
}

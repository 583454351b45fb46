/** What the packages' messages call an option of their own, and what the user of a command passes instead. */
const WORDS: readonly [RegExp, string][] = [
  [/pass the directory of the four IDX files as root/g, 'pass the directory of the four IDX files as --data'],
  [/pass a directory with the files as root/g, 'pass a directory with the files as --data'],
  [/, pass root, or allow the download/g, ', pass --data, or leave out --source'],
  [/pass classNames with one name per class/g, 'name every class with --class-names'],
  [/leave source out/g, 'leave out --source'],
  [/by cacheDirectory or ROWWISE_CACHE/g, 'by ROWWISE_CACHE'],
  [/lower lr or set maxGradientNorm/g, 'lower --lr'],
  [/use smaller batches/g, 'lower --batch-size'],
  [/prefer 'auto', or unset ROWWISE_BACKEND/g, 'leave out --backend, or unset ROWWISE_BACKEND'],
  [/pass allowNonFinite: true to load them all the same/g, 'take another file'],
  [/source is '/g, "--source is '"],
  [/variant is '/g, "--variant is '"],
  [/\bhiddenSize\b/g, '--hidden-size'],
  [/\bnumLayers\b/g, '--num-layers'],
  [/\bbatchSize\b/g, '--batch-size'],
  [/pass it as delimiter/g, 'pass it as --delimiter'],
  [/name the columns to read without/g, 'name the columns to read with --columns, without'],
]

/** A package's message in the words of the command line. */
export function inOptions(message: string): string {
  const renamed = message.replace(/\brename: \{ (.*?) \}/g, (_, pairs) => `--rename ${asPairs(pairs)}`)
  return WORDS.reduce((text, [theirs, ours]) => text.replace(theirs, ours), renamed)
}

/** `rnn: 'lstm_1', 'a.b': 'fc_1'` as `rnn=lstm_1,a.b=fc_1`. */
function asPairs(entries: string): string {
  return [...entries.matchAll(/'?([^\s,:']+)'?: '([^']*)'/g)].map(([, from, to]) => `${from}=${to}`).join(',')
}

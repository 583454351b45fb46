/** EMNIST's ways of cutting its classes. */
export type EMNISTSplit = 'byclass' | 'bymerge' | 'balanced' | 'letters' | 'digits' | 'mnist'

/** The data sets that are known by name. */
export type Variant = 'mnist' | 'fashion-mnist' | 'kmnist' | 'qmnist' | `emnist-${EMNISTSplit}`

/** The data sets as they are published: EMNIST's six splits are one. */
export type PublishedSet = Exclude<Variant, `emnist-${EMNISTSplit}`> | 'emnist'

/** What is published about a data set. */
export interface VariantFacts {
  /** One name per class, by label. */
  readonly classNames: readonly string[]
}

/** And the numbers that its pixels are usually normalised with. */
export interface KnownStatistics extends VariantFacts {
  /** Mean of the training pixels scaled to [0, 1]. */
  readonly mean: number
  /** Standard deviation of the training pixels scaled to [0, 1]. */
  readonly std: number
}

const DIGITS = [...'0123456789']
const UPPER = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
const LOWER = [...'abcdefghijklmnopqrstuvwxyz']

/** Lower-case letters that look like their upper-case ones, which two of EMNIST's splits merge. */
const MERGED = [...'cijklmopsuvwxyz']
const MERGED_CLASSES = [...DIGITS, ...UPPER, ...LOWER.filter((letter) => !MERGED.includes(letter))]

/**
 * Class names by data set, and where they are usual, mean and standard deviation: MNIST's are those of PyTorch's MNIST example;
 * Fashion-MNIST's are from its authors' files and page. The class names of the others are torchvision's. Measure their pixels by
 * {@link pixelStatistics}.
 */
export const VARIANTS: Readonly<
  Record<'mnist' | 'fashion-mnist', KnownStatistics> & Record<Exclude<Variant, 'mnist' | 'fashion-mnist'>, VariantFacts>
> = {
  mnist: { mean: 0.1307, std: 0.3081, classNames: DIGITS },
  'fashion-mnist': {
    mean: 0.286,
    std: 0.353,
    classNames: [
      'T-shirt/top',
      'Trouser',
      'Pullover',
      'Dress',
      'Coat',
      'Sandal',
      'Shirt',
      'Sneaker',
      'Bag',
      'Ankle boot',
    ],
  },
  kmnist: { classNames: ['o', 'ki', 'su', 'tsu', 'na', 'ha', 'ma', 'ya', 're', 'wo'] },
  qmnist: { classNames: DIGITS },
  'emnist-byclass': { classNames: [...DIGITS, ...UPPER, ...LOWER] },
  'emnist-bymerge': { classNames: MERGED_CLASSES },
  'emnist-balanced': { classNames: MERGED_CLASSES },
  'emnist-letters': { classNames: ['N/A', ...LOWER] }, // its labels begin with 1
  'emnist-digits': { classNames: DIGITS },
  'emnist-mnist': { classNames: DIGITS },
}

/** The two halves of a data set, and the names of their files. */
export interface HalfFiles {
  readonly train: { readonly images: string; readonly labels: string }
  readonly test: { readonly images: string; readonly labels: string }
}

/** The names of a data set's files; MNIST's without a variant. */
export function filesOf(variant: Variant | undefined): HalfFiles {
  if (variant === 'qmnist') return halves('qmnist-train', 'qmnist-test', 'idx2-int')
  if (variant?.startsWith('emnist-')) return halves(`${variant}-train`, `${variant}-test`)
  return halves('train', 't10k')
}

function halves(train: string, test: string, labels = 'idx1-ubyte'): HalfFiles {
  const named = (half: string) => ({ images: `${half}-images-idx3-ubyte`, labels: `${half}-labels-${labels}` })
  return { train: named(train), test: named(test) }
}

/** Whether its images are stored column by column. */
export function isTransposed(variant: Variant | undefined): boolean {
  return variant !== undefined && publishedAs(variant) === 'emnist'
}

/** What a data set is published as. */
export function publishedAs(variant: Variant): PublishedSet {
  return variant.startsWith('emnist-') ? 'emnist' : (variant as PublishedSet)
}

/** One file of a data set as its authors published it: uncompressed, packed where only that has a published checksum, or an archive. */
export interface PublishedFile {
  readonly name: string
  /** Its size; of a packed one the most that it may have. */
  readonly bytes: number
  /** Of the file; one of both is there. */
  readonly sha256?: string
  readonly md5?: string
}

const SIZES = [47_040_016, 60_008, 7_840_016, 10_008]

function namesOf(variant: Variant): string[] {
  const { train, test } = filesOf(variant)
  return [train.images, train.labels, test.images, test.labels]
}

function unpacked(
  variant: 'mnist' | 'fashion-mnist',
  digests: readonly [string, string, string, string],
): readonly PublishedFile[] {
  return namesOf(variant).map((name, index) => ({ name, bytes: SIZES[index], sha256: digests[index] }))
}

function packed(
  variant: 'kmnist' | 'qmnist',
  digests: readonly [string, string, string, string],
): readonly PublishedFile[] {
  return namesOf(variant).map((name, index) => ({ name: `${name}.gz`, bytes: SIZES[0], md5: digests[index] }))
}

/** EMNIST's only file: all of its splits, packed one by one in the directory `gzip`. */
export const EMNIST_ARCHIVE: PublishedFile = {
  name: 'gzip.zip',
  bytes: 600_000_000, // 562 MB
  md5: '58c8d27c78d21e728a6bc7b3cc06412e',
}

/**
 * The files of each data set. Fashion-MNIST's digests are those of the files in Debian's dataset-fashion-mnist; the MD5 sums of the others
 * are those by which torchvision knows them.
 */
export const PUBLISHED: Readonly<Record<PublishedSet, readonly PublishedFile[]>> = {
  mnist: unpacked('mnist', [
    'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  ]),
  'fashion-mnist': unpacked('fashion-mnist', [
    'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
    'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
    '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
    '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
  ]),
  kmnist: packed('kmnist', [
    'bdb82020997e1d708af4cf47b453dcf7',
    'e144d726b3acfaa3e44228e80efcd344',
    '5c965bf0a639b31b8f53240b1b52f4d7',
    '7320c461ea6c1c855c0b718fb2a4b134',
  ]),
  qmnist: packed('qmnist', [
    'ed72d4157d28c017586c42bc6afe6370',
    '0058f8dd561b90ffdd0f734c6a30e5e4',
    '1394631089c404de565df7b7aeaf9412',
    '5b5b05890a5e13444e108efe57b788aa',
  ]),
  emnist: [EMNIST_ARCHIVE],
}

/** Where the files lie, as `.gz` if they are no archive, the ones that work first (yann.lecun.com has answered 403 and 503 for years). */
export const MIRRORS: Readonly<Record<PublishedSet, readonly string[]>> = {
  mnist: ['https://ossci-datasets.s3.amazonaws.com/mnist/', 'https://storage.googleapis.com/cvdf-datasets/mnist/'],
  'fashion-mnist': [
    'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
    'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/', // no https there; the SHA-256 vouches for it
  ],
  kmnist: ['http://codh.rois.ac.jp/kmnist/dataset/kmnist/'], // no https there; the MD5 is torchvision's
  qmnist: ['https://raw.githubusercontent.com/facebookresearch/qmnist/master/'],
  emnist: ['https://biometrics.nist.gov/cs_links/EMNIST/'],
}

/** The data sets that are known by name. */
export type Variant = 'mnist' | 'fashion-mnist'

/** What is published about a data set. */
export interface VariantFacts {
  /** Mean of the training pixels scaled to [0, 1]. */
  readonly mean: number
  /** Standard deviation of the training pixels scaled to [0, 1]. */
  readonly std: number
  /** One name per class, by label. */
  readonly classNames: readonly string[]
}

/**
 * Mean, standard deviation and class names by data set. MNIST's are those of PyTorch's MNIST example; Fashion-MNIST's are
 * from its authors' files and page.
 */
export const VARIANTS: Readonly<Record<Variant, VariantFacts>> = {
  mnist: { mean: 0.1307, std: 0.3081, classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] },
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
}

/** The two halves of a data set, and the names of their files. */
export const FILES = {
  train: { images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte' },
  test: { images: 't10k-images-idx3-ubyte', labels: 't10k-labels-idx1-ubyte' },
} as const

/** One file of a data set, uncompressed, as its authors published it. */
export interface PublishedFile {
  readonly name: string
  readonly bytes: number
  readonly sha256: string
}

function published(digests: readonly [string, string, string, string]): readonly PublishedFile[] {
  const sizes = [47_040_016, 60_008, 7_840_016, 10_008]
  const names = [FILES.train.images, FILES.train.labels, FILES.test.images, FILES.test.labels]
  return names.map((name, index) => ({ name, bytes: sizes[index], sha256: digests[index] }))
}

/** The files of each data set. Fashion-MNIST's digests are those of the files in Debian's dataset-fashion-mnist. */
export const PUBLISHED: Readonly<Record<Variant, readonly PublishedFile[]>> = {
  mnist: published([
    'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  ]),
  'fashion-mnist': published([
    'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
    'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
    '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
    '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
  ]),
}

/** Where the files lie as `.gz`, the ones that work first (yann.lecun.com has answered 403 and 503 for years). */
export const MIRRORS: Readonly<Record<Variant, readonly string[]>> = {
  mnist: ['https://ossci-datasets.s3.amazonaws.com/mnist/', 'https://storage.googleapis.com/cvdf-datasets/mnist/'],
  'fashion-mnist': [
    'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
    'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/', // no https there; the SHA-256 vouches for it
  ],
}

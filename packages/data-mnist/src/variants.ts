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

/** SHA-256 of the uncompressed MNIST files, by name. */
export const MNIST_SHA256: Readonly<Record<string, string>> = {
  'train-images-idx3-ubyte': 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  'train-labels-idx1-ubyte': '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  't10k-images-idx3-ubyte': '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  't10k-labels-idx1-ubyte': 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
}

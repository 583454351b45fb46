// Pictures in folders: a part of its own, because a browser has no folders and PNG's reader needs Node.

export { DataNotFoundError, ImageError, LoaderOptionError } from './errors'
export { type ImageFolder, type ImageFolderOptions, readImageFolder } from './sources/image-folder'

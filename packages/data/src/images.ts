// Pictures in folders. A separate entry, because a browser has no folders and the PNG reader needs Node.

export { DataNotFoundError, ImageError, LoaderOptionError } from './errors'
export {
  type ImageFolder,
  type ImageFolderOptions,
  isImageName,
  type Picture,
  readImage,
  readImageFolder,
} from './sources/image-folder'

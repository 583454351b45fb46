import type { Box, Plane } from './plane'

/** A drawing, apart from its paper. */
export interface Ink {
  /** 0 on the paper, 1 in the middle of a stroke; only of the pixels that belong to the drawing. */
  strength: Plane
  /** Around all pixels of more than half strength. */
  box: Box
}

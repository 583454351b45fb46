export { drawChart } from './draw'
export { escapeHtml, figure, page, table } from './page'

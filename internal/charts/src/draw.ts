/** Draws a Vega-Lite chart as SVG, which takes the colour of the text around it. */
export async function drawChart(title: string, spec: object): Promise<string> {
  const [{ compile }, vega] = await Promise.all([import('vega-lite'), import('vega')])
  const { spec: compiled } = compile({ ...spec, config: CONFIG } as unknown as Parameters<typeof compile>[0])
  const svg = await new vega.View(vega.parse(compiled), { renderer: 'none' }).toSVG()
  return svg.replace('<svg ', `<svg role="img" aria-label="${title}" `)
}

const CONFIG = {
  background: null,
  padding: 12,
  font: 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif',
  title: { color: 'currentColor', fontSize: 14 },
  axis: {
    labelColor: 'currentColor',
    titleColor: 'currentColor',
    titleFontWeight: 'normal',
    labelFontSize: 12,
    labelLimit: 0,
    domainColor: '#888',
    tickColor: '#888',
    gridColor: '#8884',
  },
  text: { fontSize: 12 },
  legend: { labelColor: 'currentColor', titleColor: 'currentColor', labelLimit: 0 },
  header: { labelColor: 'currentColor', titleColor: 'currentColor', labelFontSize: 12 },
  view: { stroke: null },
}

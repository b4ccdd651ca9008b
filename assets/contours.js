// Marching squares: the level lines of a grid of values as one Path2D in grid units.

// Corners are numbered 1, 2, 4, 8 from the bottom left, counter-clockwise; each case joins edges (0 bottom, 1 right,
// 2 top, 3 left). The two ambiguous cases (5, 10) are decided by the cell's mean.
const EDGES = [
  [], [[3, 0]], [[0, 1]], [[3, 1]], [[1, 2]], null, [[0, 2]], [[3, 2]],
  [[2, 3]], [[2, 0]], null, [[2, 1]], [[1, 3]], [[1, 0]], [[0, 3]], [],
];

// `values` (side x side), row 0 at the bottom. Calls `segment(x0, y0, x1, y1)` in units of cells, value centres at
// whole numbers.
export function contour(values, side, level, segment) {
  const cut = (a, b) => (level - a) / (b - a);
  for (let j = 0; j + 1 < side; j++) {
    for (let i = 0; i + 1 < side; i++) {
      const a = values[j * side + i];
      const b = values[j * side + i + 1];
      const c = values[(j + 1) * side + i + 1];
      const d = values[(j + 1) * side + i];
      const code = (a >= level) | ((b >= level) << 1) | ((c >= level) << 2) | ((d >= level) << 3);
      if (code === 0 || code === 15) continue;
      const at = (edge) =>
        edge === 0 ? [i + cut(a, b), j]
        : edge === 1 ? [i + 1, j + cut(b, c)]
        : edge === 2 ? [i + cut(d, c), j + 1]
        : [i, j + cut(a, d)];
      for (const [from, to] of EDGES[code] ?? saddle(code, a + b + c + d >= 4 * level)) {
        const [x0, y0] = at(from);
        const [x1, y1] = at(to);
        segment(x0, y0, x1, y1);
      }
    }
  }
}

function saddle(code, high) {
  const joined = code === 5 ? high : !high;
  return joined ? [[3, 2], [1, 0]] : [[3, 0], [1, 2]];
}

// All levels of a density as one path in data units over [-extent, extent]².
export function densityPath(values, side, extent, levels = [0.1, 0.3, 0.5, 0.7, 0.9]) {
  const path = new Path2D();
  const unit = (2 * extent) / side;
  const place = (k) => -extent + (k + 0.5) * unit;
  for (const level of levels) {
    contour(values, side, level * 255, (x0, y0, x1, y1) => {
      path.moveTo(place(x0), place(y0));
      path.lineTo(place(x1), place(y1));
    });
  }
  return path;
}

// The one place where the server's code points and JavaScript's UTF-16 units meet.

export function positions(text) {
  const pairs = []; // the unit at which each surrogate pair begins
  for (let at = 0; at < text.length; at += 1) {
    if (text.codePointAt(at) > 0xffff) {
      pairs.push(at);
      at += 1;
    }
  }
  const before = (limit, place) => {
    let low = 0;
    let high = pairs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (place(middle) < limit) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    toPoint: (unit) => unit - before(unit, (i) => pairs[i]),
    toUnit: (point) => point + before(point, (i) => pairs[i] - i),
  };
}

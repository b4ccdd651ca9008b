// Simple 24 x 24 icons as paths, in the manner of Material Symbols.
const PATHS = {
  play: "M8 5v14l11-7z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  step: "M5 5v14l9-7zM16 5h3v14h-3z",
  steps: "M3 6v12l8-6zM12 6v12l8-6zM20.5 6h1.5v12h-1.5z",
  slow: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 2a8 8 0 1 1 0 16 8 8 0 0 1 0-16zM11 7v6l4.6 2.8.9-1.5L13 12V7z",
  reset: "M12 5V1L7 6l5 5V7a6 6 0 1 1-6 6H4a8 8 0 1 0 8-8z",
  dice: "M5 3h14a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zm0 2v14h14V5zm3 1.5a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3zm8 0a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3zm-4 4a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3zm-4 4a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3zm8 0a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3z",
  film: "M4 5h16a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zm1 2v2h2V7zm0 4v2h2v-2zm0 4v2h2v-2zM17 7v2h2V7zm0 4v2h2v-2zm0 4v2h2v-2zM9.500 8.500v7l5.500-3.500z",
  loop: "M7 7h10v3l4-4-4-4v3H5v6h2zm10 10H7v-3l-4 4 4 4v-3h12v-6h-2z",
  fork: "M6 3a3 3 0 0 1 1 5.8V11c0 1 .5 1.500 1.500 1.500h7c1 0 1.500-.5 1.500-1.500V8.800a3 3 0 1 1 2 0V11c0 2-1.500 3.500-3.500 3.500H13v.7a3 3 0 1 1-2 0v-.7H8.500C6.500 14.500 5 13 5 11V8.800A3 3 0 0 1 6 3z",
  flag: "M5 3h2v1h11l-2.5 4L18 12H7v9H5z",
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z",
  minus: "M5 11h14v2H5z",
  fit: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
  image: "M12 3v9.2l3.3-3.3 1.4 1.4L12 15l-4.7-4.7 1.4-1.4 2.3 3.3V3zM4 17h2v2h12v-2h2v4H4z",
  help: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 2a8 8 0 1 1 0 16 8 8 0 0 1 0-16zm-1 11h2v2h-2zm1-9a3.8 3.8 0 0 0-3.8 3.6h2A1.8 1.8 0 1 1 12 11.6c-.9.4-1 .9-1 2h2c0-.5.1-.6.6-1A3.8 3.8 0 0 0 12 6z",
  close: "M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12 19 17.6 17.6 19 12 13.4 6.4 19 5 17.6 10.6 12 5 6.4z",
  back: "M20 11H7.8l5.6-5.6L12 4l-8 8 8 8 1.4-1.4L7.8 13H20z",
  next: "M4 11h12.2l-5.6-5.6L12 4l8 8-8 8-1.4-1.4 5.6-5.6H4z",
  more: "M12 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zm0 2a2 2 0 1 0 0 4 2 2 0 0 0 0-4zm0 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  check: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm-1.6 14.6L5.8 12l1.4-1.4 3.2 3.2 6.4-6.4L18.2 8.8z",
  warn: "M12 2 1 21h22zm0 4 7.5 13h-15zm-1 4v5h2v-5zm0 6v2h2v-2z",
  stop: "M8 2h8l6 6v8l-6 6H8l-6-6V8zm3 5v7h2V7zm0 8.5v2h2v-2z",
  wait: "M6 2h12v5l-4 5 4 5v5H6v-5l4-5-4-5zm2 2v2.3l4 5 4-5V4zm4 8.7-4 5V20h8v-2.3z",
  scale: "M11 2h2v2h6v2l3 8a3.5 3.5 0 0 1-7 0l2.6-8H13v13h4v2H7v-2h4V6H6.4L9 14a3.5 3.5 0 0 1-7 0l3-8V4h6z",
  wave: "M2 12c2.5-8 5-8 7.5 0s3.500 6.500 5 1.500C16.300 7.500 19 6 22 12l-1.700 1C18.500 9 17.500 9.500 16.300 13.800c-2 7-5.300 6.500-8.300-.8-1.800-5-2.800-5-4.300-.300z",
  flat: "M2 15h20v2H2zM4 11h3v2H4zM10 11h4v2h-4zM17 11h3v2h-3z",
  heal: "M9 3h6v6h6v6h-6v6H9v-6H3V9h6zm2 2v6H5v2h6v6h2v-6h6v-2h-6V5z",
  erase: "M15 3l6 6-10 10H7l-4-4zm0 2.800L9.500 11.300l3.200 3.200L18.200 9zM13 19h8v2H11z",
  brush: "M19 2l3 3-9.500 9.500-3-3zM8.500 12.500l3 3C11 19 8 21 3 21c2-1.500 1.500-3 2-5 .4-1.800 1.800-3.200 3.500-3.500z",
  trash: "M9 3h6l1 2h4v2H4V5h4zM6 8h12l-1 13H7zm3 2 .5 9h1.500L10.500 10zm4.500 0L13 19h1.500l.5-9z",
  link: "M8 7h3v2H8a3 3 0 0 0 0 6h3v2H8A5 5 0 0 1 8 7zm5 0h3a5 5 0 0 1 0 10h-3v-2h3a3 3 0 0 0 0-6h-3zM8 11h8v2H8z",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

// The scene cut into slanted bands, one style each: what the stage shows while there is no video. The cuts lie close
// together over the person, so that most styles get a part of the face.
import { useId } from "react";
import { Scene, type StyleName } from "./scene.tsx";

/** The part of the scene that is shown, in the scene's units: the person right of the middle, words on the left. */
const VIEW = { left: 4, top: 6, width: 284, height: 160 };
/** The same on a narrow screen: the face alone. */
const NARROW_VIEW = { left: 112, width: 140 };
const NARROW = "(max-width: 40rem)";
const BOTTOM = VIEW.top + VIEW.height;
/** Horizontal lean of the cuts. */
const LEAN = 22;
/** Each band's style and its right edge at half the height. */
const BANDS: readonly [StyleName, number][] = [
  ["photo", 114],
  ["sepia", 132],
  ["bw", 149],
  ["oil", 165],
  ["pencil", 182],
  ["thermal", 199],
  ["neon", 218],
  ["anime", 340],
];

/** Fills its parent, cropped to its shape. */
export function Mosaic() {
  const id = useId();
  const { left: start, width } = matchMedia(NARROW).matches ? NARROW_VIEW : VIEW;
  return (
    <svg
      className="absolute inset-0 size-full"
      viewBox={`${start} ${VIEW.top} ${width} ${VIEW.height}`}
      preserveAspectRatio="xMidYMid slice"
      aria-hidden="true"
    >
      {BANDS.map(([style, middle], i) => {
        const left = (BANDS[i - 1]?.[1] ?? -40) + LEAN / 2;
        const right = middle + LEAN / 2;
        const corners = `${left},${VIEW.top} ${right},${VIEW.top} ${right - LEAN},${BOTTOM} ${left - LEAN},${BOTTOM}`;
        return (
          <g key={style} className="mosaic-band" style={{ animationDelay: `${i * 70}ms` }}>
            <clipPath id={`${id}${style}`}>
              <polygon points={corners} />
            </clipPath>
            <g clipPath={`url(#${id}${style})`}>
              <Scene style={style} />
            </g>
            <line x1={right} y1={VIEW.top} x2={right - LEAN} y2={BOTTOM} stroke="#0c0a09" strokeWidth={0.7} />
          </g>
        );
      })}
    </svg>
  );
}

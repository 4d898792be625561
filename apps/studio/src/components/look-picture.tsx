// The picture of a look: made from the person's own input where there is one, else from the sheet that the page brings along.
import { PRESETS, type Preset } from "../state/presets.ts";
import { useStore } from "../studio-context.tsx";

/** Made by longlive-tiny from the sample clip. */
const SHEET = new URL("../assets/looks.webp", import.meta.url).href;
/** Pictures side by side on the sheet. */
const COLUMNS = 6;
const ROWS = Math.ceil(PRESETS.length / COLUMNS);

export function LookPicture({ preset }: { preset: Preset }) {
  const own = useStore(({ thumbnails }) => thumbnails[preset.id]);
  if (own !== undefined) return <img src={own} alt="" className="size-full object-cover" />;
  const index = PRESETS.indexOf(preset);
  const [column, row] = [index % COLUMNS, Math.floor(index / COLUMNS)];
  return (
    <span
      className="block size-full bg-no-repeat"
      aria-hidden="true"
      style={{
        backgroundImage: `url(${SHEET})`,
        backgroundSize: `${COLUMNS * 100}% ${ROWS * 100}%`,
        backgroundPosition: `${(column / (COLUMNS - 1)) * 100}% ${(row / (ROWS - 1)) * 100}%`,
      }}
    />
  );
}

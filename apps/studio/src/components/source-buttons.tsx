// Other sources than the camera, in a row of words.

import { canShareScreen } from "../sources/open-source.ts";
import { useStudio } from "../studio-context.tsx";
import { FilePicker } from "./file-picker.tsx";

const LINK =
  "rounded-md py-1 text-soft underline decoration-edge underline-offset-4 transition hover:text-paper hover:decoration-paper";

export function SourceButtons() {
  const studio = useStudio();
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-[0.85rem]">
      <button type="button" className={LINK} onClick={() => studio.start("clip")}>
        Sample clip
      </button>
      <button type="button" className={LINK} onClick={() => studio.start("scene")}>
        Moving scene
      </button>
      <FilePicker label="Video file" accept="video/*" onChoose={(file) => studio.start("file", { file })}>
        {(open) => (
          <button type="button" className={LINK} onClick={open}>
            Video file
          </button>
        )}
      </FilePicker>
      {canShareScreen() && (
        <button type="button" className={LINK} onClick={() => studio.start("screen")}>
          Screen
        </button>
      )}
      <button type="button" className={LINK} onClick={() => studio.start("none")}>
        Text alone
      </button>
    </div>
  );
}

// What goes in, to be changed while video runs.
import { type CameraDevice, cameras, watchCameras } from "@everframe/client";
import { Camera, ChevronDown, Clapperboard, FileVideo, MonitorUp, Mountain, Type } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { type ReactNode, useEffect, useState } from "react";
import { canShareScreen } from "../sources/open-source.ts";
import type { SourceKind } from "../state/state.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { FilePicker } from "./file-picker.tsx";

const KINDS: readonly { kind: SourceKind; label: string; icon: ReactNode }[] = [
  { kind: "camera", label: "Camera", icon: <Camera aria-hidden="true" /> },
  { kind: "screen", label: "Screen or window", icon: <MonitorUp aria-hidden="true" /> },
  { kind: "file", label: "Video file", icon: <FileVideo aria-hidden="true" /> },
  { kind: "clip", label: "Sample clip", icon: <Clapperboard aria-hidden="true" /> },
  { kind: "scene", label: "Moving scene", icon: <Mountain aria-hidden="true" /> },
  { kind: "none", label: "Text alone", icon: <Type aria-hidden="true" /> },
];

export function SourceMenu() {
  const studio = useStudio();
  const kind = useStore((state) => state.kind);
  const label = useStore(({ source }) => source?.label);
  const devices = useCameras();
  const current = KINDS.find((one) => one.kind === kind);
  return (
    <FilePicker label="Video file" accept="video/*" onChoose={(file) => studio.start("file", { file })}>
      {(openFile) => (
        <DropdownMenu.Root>
          <DropdownMenu.Trigger
            className="ml-1 flex h-10 items-center gap-2 rounded-full px-3 text-sm transition hover:bg-white/14 [&_svg]:size-4.5"
            aria-label={`Source: ${current?.label ?? ""}`}
          >
            {current?.icon}
            <span className="max-w-40 truncate max-sm:hidden">
              {kind === "camera" && label !== undefined ? label : current?.label}
            </span>
            <ChevronDown className="size-3.5! opacity-70" aria-hidden="true" />
          </DropdownMenu.Trigger>
          <DropdownMenu.Portal>
            <DropdownMenu.Content side="top" align="start" sideOffset={8} className="menu pop">
              <DropdownMenu.Label className="menu-label">What goes in</DropdownMenu.Label>
              <DropdownMenu.RadioGroup
                value={kind}
                onValueChange={(chosen) => (chosen === "file" ? openFile() : studio.start(chosen as SourceKind))}
              >
                {KINDS.filter((one) => one.kind !== "screen" || canShareScreen()).map((one) => (
                  <DropdownMenu.RadioItem key={one.kind} value={one.kind} className="menu-item">
                    {one.icon}
                    {one.label}
                  </DropdownMenu.RadioItem>
                ))}
              </DropdownMenu.RadioGroup>
              {devices.length > 1 && (
                <>
                  <DropdownMenu.Separator className="my-1 h-px bg-line" />
                  <DropdownMenu.Label className="menu-label">Cameras</DropdownMenu.Label>
                  {devices.map(({ deviceId, label: name }) => (
                    <DropdownMenu.Item
                      key={deviceId}
                      className="menu-item"
                      onSelect={() => studio.start("camera", { deviceId })}
                    >
                      <Camera aria-hidden="true" />
                      <span className="truncate">{name || "Camera"}</span>
                    </DropdownMenu.Item>
                  ))}
                </>
              )}
            </DropdownMenu.Content>
          </DropdownMenu.Portal>
        </DropdownMenu.Root>
      )}
    </FilePicker>
  );
}

function useCameras(): readonly CameraDevice[] {
  const [devices, setDevices] = useState<readonly CameraDevice[]>([]);
  useEffect(() => {
    try {
      cameras().then(setDevices, () => setDevices([]));
      return watchCameras(setDevices);
    } catch {
      // A page without cameras has none to choose from.
      return undefined;
    }
  }, []);
  return devices;
}

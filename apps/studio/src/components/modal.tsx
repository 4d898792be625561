// A dialog over the page: closed by Escape, by a click beside it, or by its button; the focus goes back to where it was.
import { X } from "lucide-react";
import { Dialog } from "radix-ui";
import { type ReactNode, useRef } from "react";
import { IconButton } from "./icon-button.tsx";

type ModalProps = {
  title: string;
  description: string;
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
  /** For a dialog that does not keep the page behind it from being used. */
  isModal?: boolean;
  className?: string;
  children: ReactNode;
};

export function Modal({
  title,
  description,
  isOpen,
  onOpenChange,
  isModal = true,
  className = "max-w-2xl",
  children,
}: ModalProps) {
  const opener = useRef<Element>(null);
  return (
    <Dialog.Root open={isOpen} onOpenChange={onOpenChange} modal={isModal}>
      <Dialog.Portal>
        {isModal && <Dialog.Overlay className="fade fixed inset-0 z-40 bg-night/70 backdrop-blur-sm" />}
        <Dialog.Content
          className={`pop fixed inset-x-3 bottom-3 z-50 mx-auto flex max-h-[calc(100dvh-1.5rem)] flex-col overflow-hidden rounded-3xl border border-edge bg-panel shadow-float outline-none sm:top-1/2 sm:bottom-auto sm:-translate-y-1/2 ${className}`}
          onOpenAutoFocus={(event) => {
            // The dialog itself, not its first button, whose name would pop up.
            event.preventDefault();
            opener.current = document.activeElement;
            (event.currentTarget as HTMLElement).focus();
          }}
          onCloseAutoFocus={(event) => {
            // Radix knows only triggers of its own; these dialogs are opened from elsewhere, by a key too.
            event.preventDefault();
            const isLost = document.activeElement === document.body;
            if (isLost && opener.current instanceof HTMLElement) opener.current.focus();
          }}
          onInteractOutside={(event) => {
            if (!isModal) event.preventDefault();
          }}
        >
          <header className="flex items-start justify-between gap-4 px-6 pt-5 pb-3">
            <div>
              <Dialog.Title className="font-semibold text-lg tracking-tight">{title}</Dialog.Title>
              <Dialog.Description className="mt-0.5 text-pretty text-[0.85rem] text-muted">
                {description}
              </Dialog.Description>
            </div>
            <Dialog.Close asChild>
              <IconButton label="Close">
                <X aria-hidden="true" />
              </IconButton>
            </Dialog.Close>
          </header>
          <div className="min-h-0 overflow-y-auto px-6 pb-6">{children}</div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

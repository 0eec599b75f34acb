"""A file system of its own on a loop device, whose power can be cut."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit.procs import CannotRun, Failed

#: EXT4_IOC_SHUTDOWN, the same number on xfs: Linux `include/uapi/linux/ext4.h`, `_IOR('X', 125, __u32)`.
_SHUTDOWN = 0x8004587D
#: EXT4_GOING_FLAGS_NOLOGFLUSH: drop everything that is not on the device, the journal's tail included.
_NO_LOG_FLUSH = 2


class Mount:
    """ext4 in a sparse image file. `with` unmounts and removes it on every way out."""

    def __init__(self, folder: Path, mib: int):
        lacking = _lacking()
        if lacking:
            raise CannotRun(f"a power cut needs {lacking}")
        self.image = folder / "disk.img"
        self.place = folder / "mnt"
        self.place.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(mib << 20)
        # No lazy initialisation: its background writes have nothing to do with the test.
        _run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.image)
        self.mounted = False

    def __enter__(self) -> Mount:
        # Also when the interpreter ends without unwinding, as after a second signal.
        atexit.register(self.unmount)
        try:
            self.mount()
        except Failed as error:
            raise CannotRun(f"a power cut needs a loop device: {error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        self.unmount()
        atexit.unregister(self.unmount)

    def mount(self) -> None:
        """Mounts; the kernel replays the journal, as after a power cut."""
        _run("mount", "-o", "loop", self.image, self.place)
        self.mounted = True

    def unmount(self) -> None:
        """Unmounts when mounted; nobody may have files open in it."""
        if not self.mounted:
            return
        self.mounted = False
        try:
            _run("umount", self.place)
        except Failed:
            # Rather out of sight at once and gone with its last user than left behind.
            _run("umount", "--lazy", self.place)
            raise

    def cut(self) -> None:
        """Everything that was not synced is lost from now on; every later call on the mount fails with EIO."""
        handle = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(handle)

    def check(self) -> None:
        """`fsck` of the unmounted image: a fault of the file system itself would be blamed on the wrong one."""
        done = subprocess.run(["e2fsck", "-f", "-n", str(self.image)], capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"the file system itself is damaged: {done.stdout[-800:]}")


def prove(mount: Mount) -> None:
    """Shows that a cut really loses what was not synced, and keeps what was. Else the test could not fail."""
    kept, lost = mount.place / "synced", mount.place / "unsynced"
    with open(kept, "wb") as file:
        file.write(b"x" * 100_000)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(mount.place, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    lost.write_bytes(b"y" * 100_000)
    mount.cut()
    mount.unmount()
    mount.mount()
    if not kept.is_file() or kept.read_bytes() != b"x" * 100_000:
        raise CannotRun("this kernel lost a synced file in the trial cut; the recipe does not work here")
    if lost.exists() and lost.stat().st_size:
        raise CannotRun("this kernel kept an unsynced file in the trial cut; the recipe does not work here")
    kept.unlink()
    lost.unlink(missing_ok=True)


def _lacking() -> str:
    if sys.platform != "linux":
        return "Linux (this is " + sys.platform + ")"
    if os.geteuid() != 0:
        return "root, to mount (try: sudo make test)"
    missing = [name for name in ("mkfs.ext4", "mount", "umount", "e2fsck") if not shutil.which(name)]
    return f"{', '.join(missing)} (Debian: apt install e2fsprogs mount)" if missing else ""


def _run(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{command[0]} failed: {(done.stderr or done.stdout).strip()}")

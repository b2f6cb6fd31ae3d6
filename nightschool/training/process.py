"""Settings of this process that have to stand before torch is imported, and what it took in the end."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import psutil

from nightschool.training.attribute_job import AttributeJob
from nightschool.training.job import Job
from nightschool.training.merge_job import MergeJob

# transformers asks whether these are there and then imports them for models that see, hear or detect objects; a
# text model never does. A torchvision of another torch build would end the import with an error, and scipy alone
# costs 0.3 s and 30 MB.
NEVER_NEEDED = ("torchvision", "torchaudio", "scipy", "sklearn")

# mallopt's numbers in glibc's malloc.h, and bytes. glibc gives back what one step leaves and takes it anew for the
# next: 93,000 page faults a step of dpo, a sixth of its time (measured on a CPU). So much is kept instead: 12,000, and
# the same peak.
KEEP = {-1: 256 << 20, -3: 32 << 20}  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD


def prepare(job: Job | MergeJob | AttributeJob) -> None:
    """Fix threads, devices and what transformers may import or ask the network for."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", lambda *_: 0)  # other C libraries have none
    for parameter, size in KEEP.items():
        mallopt(parameter, size)
    for name in NEVER_NEEDED:
        sys.modules[name] = None  # type: ignore[assignment]  # documented: an import of it then fails at once
    os.environ.update(
        OMP_NUM_THREADS=str(job.threads),
        MKL_NUM_THREADS=str(job.threads),
        TOKENIZERS_PARALLELISM="false",
        HF_HUB_DISABLE_TELEMETRY="1",
        HF_DATASETS_DISABLE_PROGRESS_BARS="1",
        TQDM_DISABLE="1",
    )
    if Path(job.model).is_dir():
        os.environ.update(HF_HUB_OFFLINE="1")
    if "LOCAL_RANK" not in os.environ:
        # Seeing several GPUs without a launcher, Trainer would use nn.DataParallel, which TRL refuses.
        first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
        os.environ.update(CUDA_VISIBLE_DEVICES=first)


def rss_bytes() -> int:
    """Memory that this process has now."""
    return psutil.Process().memory_info().rss


def peak_rss_bytes() -> int:
    """The most memory that this process ever had.

    From the kernel's high-water mark of this program alone: getrusage counts the parent's memory before exec as well.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024

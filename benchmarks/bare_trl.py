"""A bare TRL script with a job's settings, as a careful person would write it: what our door is measured against."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from nightschool.training.job import Job


def _settings(job: Job) -> dict[str, Any]:
    return {
        "output_dir": job.output,
        "seed": job.seed,
        "num_train_epochs": job.epochs,
        "learning_rate": job.learning_rate,
        "per_device_train_batch_size": job.batch_size,
        "gradient_accumulation_steps": job.accumulation,
        "warmup_steps": job.warmup_share,
        "lr_scheduler_type": job.scheduler,
        "max_length": job.max_length,
        "gradient_checkpointing": False,
        "bf16": False,
        "use_cpu": True,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }


def bare_trainer(job: Job) -> Any:
    """TRL's own trainer for the job's rows; dpo computes its reference at each step, as TRL does unless told not to."""
    sys.modules["torchvision"] = None  # type: ignore[assignment]  # one of another torch build ends the import
    import torch
    from datasets import Dataset
    from peft import LoraConfig, PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    torch.set_num_threads(job.threads)
    rows = Dataset.from_list([json.loads(line) for line in Path(job.rows).read_text().splitlines()])
    common = {
        "train_dataset": rows.remove_columns("id"),
        "processing_class": AutoTokenizer.from_pretrained(job.model),
    }
    model: Any = AutoModelForCausalLM.from_pretrained(job.model, dtype=torch.float32)
    if job.stage == "sft":
        assert job.lora
        lora = LoraConfig(r=job.lora.r, lora_alpha=job.lora.alpha, target_modules="all-linear", task_type="CAUSAL_LM")
        return SFTTrainer(model=model, args=SFTConfig(**_settings(job)), peft_config=lora, **common)
    model = PeftModel.from_pretrained(model, str(job.adapter), is_trainable=True)
    return DPOTrainer(model=model, args=DPOConfig(**_settings(job), beta=job.beta), **common)

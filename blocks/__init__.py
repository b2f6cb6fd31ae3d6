"""The world outside: model servers, endpoints, the trainer, the store."""

from blocks import telemetry

# Here, where every process of ours comes by before it starts another.
telemetry.switch_off()

"""The world outside: model servers, endpoints, the trainer, the store."""

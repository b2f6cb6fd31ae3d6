"""The model server for a CPU: OpenAI's wire format in front of a transformers model, as a process of its own."""

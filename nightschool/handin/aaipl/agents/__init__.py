"""Two agents for the contest: `python -m agents.question_agent` asks, `python -m agents.answer_agent` answers."""

"""The few-shot bench: questions that a face asks of runs, and their answers."""

"""The laboratory: tasks, network, algorithms, engines and runs. It knows no terminal."""

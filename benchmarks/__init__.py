"""The program measured: against its peers, and against what a correct implementation reaches."""

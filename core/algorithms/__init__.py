"""Meta-learning algorithms: one file each, listed in ``registry``."""

"""What longlive-tiny does, in figures and pictures: the shipped runtime is driven with unseen clips and held against the operators."""

"""Whether rows are ready to train on: shares, age, versions, disputed labels, and one score."""

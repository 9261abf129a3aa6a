"""The process that does long work: lanes of jobs, and what each kind of job does."""

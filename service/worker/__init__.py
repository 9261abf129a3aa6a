"""The worker process: the lanes of jobs and the handler of each kind of job."""

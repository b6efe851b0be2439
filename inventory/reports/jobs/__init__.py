"""Reports that are made outside the request: asked for as a job, made by the worker, waited for on the job's page.

The job is a row of ours, so that a worker that is killed loses nothing; the queue only says that there is work.
"""

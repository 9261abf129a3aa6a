"""Text recognition: pictures of text in, lines of text out, in a child process with limits.

Nothing is imported here: the service's own process starts the child and never loads a network.
"""

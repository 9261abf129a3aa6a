"""The router's inputs: facts of a request, the policies and the question classifier in use."""

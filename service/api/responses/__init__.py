"""`/v1/responses`: the same answers in the form that newer OpenAI clients default to."""

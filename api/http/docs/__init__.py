"""The page of documentation: the OpenAPI description, worked examples, and HTML made from both."""

"""One answer per request: routes, queries, filters, jobs and pages, as the platform words them."""

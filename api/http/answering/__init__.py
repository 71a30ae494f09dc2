"""From a request to its answer: routing, live routing, batches, studies, snapshots."""

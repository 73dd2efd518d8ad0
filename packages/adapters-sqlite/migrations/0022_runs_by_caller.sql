-- A run's idempotency key is its caller's own: the run's id is made of both, so nothing else has to keep it apart.

drop index "uq_runs_project_id_idempotency_key";

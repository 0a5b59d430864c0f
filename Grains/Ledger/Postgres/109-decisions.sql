-- Decisions by their number, by whom they are about, and by the operation they are of. Hearts are in none of these and pay nothing.
create index if not exists heart_event_decision on heart_event (writer) where kind = 3;
create index if not exists heart_event_decision_heart on heart_event (heart) where kind = 3;
create index if not exists heart_event_decision_job on heart_event (job) where kind = 3;

-- Operations that are not finished, a page after the other, and those that are, oldest first.
create index if not exists heart_job_running on heart_job (id) where finished_micros is null;
create index if not exists heart_job_finished on heart_job (finished_micros) where finished_micros is not null;

-- When another key took over: what retirement counts from.
alter table {tenant}.signing_key add column deactivated_at timestamptz;

-- One published successor an algorithm, whoever makes it first.
create unique index signing_key_next_key on {tenant}.signing_key (algorithm) where state = 'next';

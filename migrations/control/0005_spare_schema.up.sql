-- Empty schemas with their roles that are nobody's yet, made many at a time: after every change of the memberships each
-- connection reads all of them anew, and after every new schema it plans its statements anew.
create table control.spare_schema (
  -- The organization that will have it; it gets this id.
  organization_id uuid primary key,
  -- Of schema and role.
  name text not null constraint spare_schema_name_key unique,
  -- False until the transaction that made it has told every connection.
  published boolean not null,
  created_at timestamptz not null
);
